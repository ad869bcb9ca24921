"""The guard of an ASGI application beside Django."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from asgiref.testing import ApplicationCommunicator
from django.http import HttpRequest

from auth_core.oauth_resource.asgi import Receive, Scope, Send, TokenGuard
from auth_core.oauth_resource.proofs.nonces import current_nonce
from auth_core.oauth_resource.testing.holder import KeyHolder
from auth_core.oauth_resource.testing.issuer import FakeIssuer
from conftest import RESOURCE

METADATA = 'resource_metadata="https://api.example.org/.well-known/oauth-protected-resource/notes"'


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the person and the body."""
    if scope["type"] == "lifespan":
        await send({"type": "lifespan.startup.complete"})
        return
    message = await receive()
    body = f"{scope['user']} {' '.join(scope['token'].scopes)} ".encode() + message["body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def scopes_of(request: HttpRequest) -> list[str]:
    return ["notes:write"] if request.headers.get("X-Tool") == "write" else ["notes:read"]


guarded = TokenGuard(application, scopes=scopes_of)


def ask(
    token: str | None, *, host: str = "testserver", scheme: str = "Bearer", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Send a request to the guarded application. Return status, headers and body."""
    sent = {"host": host, **({} if token is None else {"authorization": f"{scheme} {token}"}), **headers}

    async def run() -> tuple[int, dict[str, str], bytes]:
        scope = {
            "type": "http", "method": "POST", "path": "/mcp", "query_string": b"", "scheme": "https",
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()],
        }  # fmt: skip
        caller = ApplicationCommunicator(guarded, scope)
        await caller.send_input({"type": "http.request", "body": b"hello"})
        start, body = await caller.receive_output(5), await caller.receive_output(5)
        received = {name.decode(): value.decode() for name, value in start["headers"]}
        return start["status"], received, body["body"]

    answer: tuple[int, dict[str, str], bytes] = async_to_sync(run)()
    return answer


def test_a_token_opens_the_application(issuer: FakeIssuer) -> None:
    status, _headers, body = ask(issuer.token(RESOURCE, scope="notes:read"))

    assert (status, body.endswith(b" notes:read hello")) == (200, True)


def test_a_request_without_a_token_learns_where_to_get_one(issuer: FakeIssuer) -> None:
    status, headers, _body = ask(None)

    assert status == 401
    assert headers["www-authenticate"] == f'Bearer scope="notes:read", {METADATA}, DPoP algs="PS256 ES256 EdDSA"'


def test_a_bound_token_needs_a_proof_and_learns_the_next_nonce(issuer: FakeIssuer) -> None:
    holder = KeyHolder()
    token = issuer.token(RESOURCE, scope="notes:read", cnf={"jkt": holder.thumbprint})
    good, old = (
        holder.proof_for("POST", "https://api.example.org/mcp", access_token=token, **changes)
        for changes in ({}, {"nonce": None})
    )

    assert ask(token)[0] == 401
    status, headers, body = ask(token, scheme="DPoP", dpop=good)
    refused = ask(token, scheme="DPoP", dpop=old)

    assert (status, headers["dpop-nonce"]) == (200, current_nonce())
    assert body.endswith(b" notes:read hello")
    assert (refused[0], refused[1]["dpop-nonce"]) == (401, current_nonce())
    assert 'error="use_dpop_nonce"' in refused[1]["www-authenticate"]


def test_a_request_may_need_more_than_another(issuer: FakeIssuer) -> None:
    status, headers, body = ask(issuer.token(RESOURCE, scope="notes:read"), x_tool="write")

    assert status == 403
    assert headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="notes:write", {METADATA}'
    assert b"insufficient_scope" in body


@pytest.mark.parametrize("token", ["x", ""])
def test_a_wrong_token_opens_nothing(token: str, issuer: FakeIssuer) -> None:
    assert ask(token)[0] == 401


def test_a_token_for_another_resource_opens_nothing(issuer: FakeIssuer) -> None:
    assert ask(issuer.token("https://other.example", scope="notes:read"))[0] == 401


def test_another_host_is_refused(issuer: FakeIssuer) -> None:
    assert ask(issuer.token(RESOURCE, scope="notes:read"), host="evil.example")[0] == 400


def test_the_lifespan_passes_and_nothing_else() -> None:
    async def first_of(scope: dict[str, Any]) -> Any:
        caller = ApplicationCommunicator(guarded, scope)
        return await caller.receive_output(5)

    assert async_to_sync(first_of)({"type": "lifespan"})["type"] == "lifespan.startup.complete"
    with pytest.raises(ValueError, match="only HTTP"):
        async_to_sync(first_of)({"type": "websocket", "path": "/mcp", "headers": []})
