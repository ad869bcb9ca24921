"""Agents with the official SDKs of the Model Context Protocol: they find the service, and people sign in for them in Chromium."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from auth_core.oauth.testing.document_site import HOST as DOCUMENT_HOST
from auth_core.oauth.testing.document_site import DocumentSite
from live.chromium import Watch, Window
from live.service import Service, free_port
from oauth_clients.agents import Agent, agent
from oauth_clients.callers import Application, caller
from oauth_clients.processes import HOST
from oauth_clients.sites import AGENTS, Guide, mcp_server, node_mcp_server
from oauth_clients.test_clients_browser import sign_in_and_allow

pytestmark = [pytest.mark.postgresql, pytest.mark.live, pytest.mark.shots]

#: The revision of the protocol that both ends must agree on.
REVISION = "2026-07-28"

#: The client id in the guide.
_ID = "https://agent.example.org/client.json"

#: What an administrator does on the page of a resource, for which a second factor is asked.
_OWN = """
from auth_core.oauth.applications.changes import find_policy
from auth_core.oauth.applications.resources import change_resource, find_resource
change_resource(resource=find_resource({resource!r}), owner=find_policy({application!r}))
"""


@pytest.fixture(scope="module")
def guide(service: Service) -> Guide:
    """The guide, for this service and a port that is free."""
    return Guide(issuer=service.url, port=free_port(), page=AGENTS)


@pytest.fixture(scope="module")
def server(guide: Guide, service: Service, tmp_path_factory: Any) -> Iterator[str]:
    """The running MCP server of the guide, which is registered at the service."""
    arguments = guide.registration("sh register")
    service.manage(*arguments)
    port = int(arguments[arguments.index("--uri") + 1].split(":")[2].partition("/")[0])
    folder = tmp_path_factory.mktemp("notes")
    with mcp_server(guide, port=port, folder=folder, certificate=service.certificate) as address:
        yield address


@pytest.fixture
def client_id(guide: Guide, service: Service, tmp_path: Path) -> Iterator[str]:
    """The address of the document of the guide, at a site of its own."""
    pair = tmp_path / "site.pem"
    pair.write_bytes((service.folder / "key.pem").read_bytes() + service.certificate.read_bytes())
    with DocumentSite(pair) as site:
        text = guide.block("json client.json").replace(_ID, site.url("/client.json"))
        assert json.loads(text)["client_id"] != _ID
        yield site.serve("/client.json", text.encode())
        assert site.visits == ["/client.json"], "it is read once, after the login"


@pytest.fixture
def port(watch: Watch) -> int:
    """The port of an agent."""
    number = free_port()
    watch.clients.append(f"http://{HOST}:{number}")
    return number


def allow_more(window: Window, sentences: list[str]) -> None:
    """Consent on the page, which names both hosts and what is asked for."""
    assert window.title == "Allow access?"
    for words in (
        f"An application of {DOCUMENT_HOST}",
        "an application on your device",
        "If it is an agent",
        *sentences,
    ):
        assert words in window.text
    window.press_away("Allow", f"http://{HOST}:")


@dataclass
class Journey:
    """An agent and the person for whom it calls the tools of the guide.

    Args:
        server: The address of the MCP server.
        client_id: The client id of the agent.
        running: The agent.
        window: The browser of the person.
    """

    server: str
    client_id: str
    running: Agent
    window: Window

    def begin(self, email: str) -> None:
        """Sign in for the agent. It reads the notes, and its token is refused for the tool that adds one."""
        self.open(scope="notes:read")
        sign_in_and_allow(self.window, email, "Agent")
        assert self.running.hear() == {"revision": REVISION}
        assert self.running.hear() == {"tools": ["read_notes", "add_note"]}
        first = self.running.hear()
        assert (first["read"], set(first["scope"].split())) == ({"result": []}, {"notes:read", "offline_access"})
        refusal = self.call("add_note", first["token"])
        assert refusal.status_code == 403
        for words in ('error="insufficient_scope"', 'scope="notes:write"', "resource_metadata="):
            assert words in refusal.headers["WWW-Authenticate"]

    def step_up(self) -> str:
        """Allow more. The agent adds a note and reads it. Return its token."""
        self.open(scope="notes:read notes:write")
        allow_more(self.window, ["Read your notes", "Add notes"])
        more = self.running.hear()
        assert (more["added"], "notes:write" in more["scope"].split()) == ({"result": 1}, True)
        assert self.running.hear() == {"read": {"result": ["hello"]}, "client_id": self.client_id}
        return str(more["token"])

    def open(self, *, scope: str) -> None:
        """Open the address that the agent asks for, which asks for *scope* and for its server alone."""
        address = str(self.running.hear()["open"])
        assert f"resource={quote(self.server, safe='')}" in address
        for name in scope.split():
            assert name.replace(":", "%3A") in address
        self.window.open(address)

    def call(self, tool: str, token: str) -> requests.Response:
        """Call a tool without the agent, in the revision that it speaks."""
        named = {"protocolVersion": REVISION, "clientInfo": {"name": "test", "version": "1"}, "clientCapabilities": {}}
        meta = {f"io.modelcontextprotocol/{name}": value for name, value in named.items()}
        params = {"name": tool, "arguments": {"text": "no"} if tool == "add_note" else {}, "_meta": meta}
        headers = {
            "Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": REVISION, "Mcp-Method": "tools/call", "Mcp-Name": tool,
        }  # fmt: skip
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        return requests.post(self.server, json=body, headers=headers, timeout=60)


def variables(server: str, client_id: str, port: int, service: Service) -> dict[str, str]:
    """Return the variables of an agent."""
    return {"SERVER": server, "CLIENT_ID": client_id, "PORT": str(port), "CERTIFICATE": str(service.certificate)}


@pytest.mark.parametrize("kind", ["python", "node"])
def test_an_agent_finds_the_service_calls_a_tool_and_steps_up(
    kind: str, service: Service, server: str, client_id: str, email: str, here: Window, port: int, tmp_path: Path
) -> None:
    with agent(kind, tmp_path, **variables(server, client_id, port, service)) as running:
        journey = Journey(server, client_id, running, here)
        journey.begin(email)
        journey.step_up()
    assert service.query(
        "SELECT registration_source FROM oauth2_provider_application WHERE client_id = '" + client_id + "'"
    ) == [("cimd",)]


@pytest.mark.parametrize(("kind", "is_introspecting"), [("python", False), ("node", True)])
def test_the_server_in_node(
    kind: str,
    is_introspecting: bool,
    service: Service,
    client_id: str,
    email: str,
    here: Window,
    port: int,
    tmp_path_factory: Any,
) -> None:
    """Either agent finds the service from it. With introspection, what the person takes back ends at once."""
    own_port = free_port()
    guide = Guide(issuer=service.url, port=own_port, page=AGENTS)
    resource = service.manage(*guide.registration("sh register")).removeprefix("id: ").strip()
    owner = register_owner(service, guide, resource) if is_introspecting else None
    credentials = {"client_id": owner.id, "client_secret": owner.secret} if owner else {}
    folders = [tmp_path_factory.mktemp(name) for name in ("server", "agent")]
    site = {"port": own_port, "folder": folders[0], "certificate": service.certificate}
    with node_mcp_server(guide, **site, **credentials) as server:
        with agent(kind, folders[1], **variables(server, client_id, port, service)) as running:
            journey = Journey(server, client_id, running, here)
            journey.begin(email)
            token = journey.step_up()

        if owner:
            # It is active, and it is not for the server.
            other = owner.post(caller(service), "/oauth/token", grant_type="client_credentials").json()["access_token"]
            assert owner.is_active(caller(service), other)
            assert journey.call("read_notes", other).status_code == 401
        assert journey.call("read_notes", token).json()["result"]["structuredContent"] == {"result": ["hello"]}
        take_back(here)
        after = journey.call("read_notes", token)
        assert after.status_code == (401 if is_introspecting else 200), after.text
        assert ('error="invalid_token"' in after.headers.get("WWW-Authenticate", "")) is is_introspecting


def register_owner(service: Service, guide: Guide, resource: str) -> Application:
    """Register the application of the server in Node, and enter it as the owner of the resource."""
    made = json.loads(service.manage(*guide.registration("sh register-node"), "--json"))
    service.manage("shell", "--no-imports", "--command", _OWN.format(resource=resource, application=made["id"]))
    return Application(made["client_id"], made["client_secret"])


def take_back(window: Window) -> None:
    """Remove the access of the only application on the page of the person."""
    window.open("/account/applications/")
    window.page.get_by_role("link", name="Remove").click()
    window.press("Remove access")
    assert "The access was removed." in window.text
