"""An agent with the official SDK of the Model Context Protocol. It writes a line of JSON whenever something happened."""

import asyncio
import json
import os
import queue
import ssl
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

SERVER, CLIENT_ID, PORT = os.environ["SERVER"], os.environ["CLIENT_ID"], int(os.environ["PORT"])
CALLBACK = f"http://127.0.0.1:{PORT}/callback"

arrived: "queue.Queue[dict[str, str]]" = queue.Queue()


def say(**members: Any) -> None:
    print(json.dumps(members), flush=True)


def given(tokens: Any) -> dict[str, str]:
    return {"scope": tokens.scope, "token": tokens.access_token}


class Callback(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/callback":
            arrived.put(dict(parse_qsl(parts.query)))
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Agent</title><h1>Go back to the agent</h1>")

    def log_message(self, *arguments: Any) -> None:
        pass


class Storage:
    """Keeps everything in memory."""

    tokens: Any = None
    client: Any = None

    async def get_tokens(self) -> Any:
        return self.tokens

    async def set_tokens(self, tokens: Any) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> Any:
        return self.client

    async def set_client_info(self, client: Any) -> None:
        self.client = client


async def open_browser(address: str) -> None:
    say(open=address)


async def wait_for_answer() -> AuthorizationCodeResult:
    answer = await asyncio.to_thread(arrived.get)
    return AuthorizationCodeResult(code=answer.get("code", ""), state=answer.get("state"), iss=answer.get("iss"))


async def main() -> None:
    storage = Storage()
    provider = OAuthClientProvider(
        server_url=SERVER,
        client_metadata=OAuthClientMetadata(
            redirect_uris=[CALLBACK],
            client_name="Agent",
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            token_endpoint_auth_method="none",
        ),
        storage=storage,
        redirect_handler=open_browser,
        callback_handler=wait_for_answer,
        client_metadata_url=CLIENT_ID,
    )
    trusted = ssl.create_default_context(cafile=os.environ["CERTIFICATE"])
    async with (
        httpx2.AsyncClient(auth=provider, verify=trusted, timeout=60) as http,
        Client(streamable_http_client(SERVER, http_client=http)) as client,
    ):
        say(revision=client.protocol_version)
        say(tools=[tool.name for tool in (await client.list_tools()).tools])
        say(read=(await client.call_tool("read_notes", {})).structured_content, **given(storage.tokens))
        added = await client.call_tool("add_note", {"text": "hello"})
        say(added=added.structured_content, **given(storage.tokens))
        say(read=(await client.call_tool("read_notes", {})).structured_content, client_id=storage.client.client_id)


threading.Thread(target=HTTPServer(("127.0.0.1", PORT), Callback).serve_forever, daemon=True).start()
asyncio.run(main())
