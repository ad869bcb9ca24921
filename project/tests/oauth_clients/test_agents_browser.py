"""Agents with the official SDKs of the Model Context Protocol: they find the service, and people sign in for them in Chromium."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auth_core.oauth.testing.document_site import HOST as DOCUMENT_HOST
from auth_core.oauth.testing.document_site import DocumentSite
from live.chromium import Watch, Window
from live.service import Service, free_port
from oauth_clients.agents import Agent, agent
from oauth_clients.processes import HOST
from oauth_clients.sites import AGENTS, Guide, mcp_server
from oauth_clients.test_clients_browser import sign_in_and_allow

pytestmark = [pytest.mark.postgresql, pytest.mark.live, pytest.mark.shots]

#: The revision of the protocol that both ends must agree on.
REVISION = "2026-07-28"

#: The client id in the guide.
_ID = "https://agent.example.org/client.json"


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


@pytest.mark.parametrize("kind", ["python", "node"])
def test_an_agent_finds_the_service_calls_a_tool_and_steps_up(
    kind: str, service: Service, server: str, client_id: str, email: str, here: Window, port: int, tmp_path: Path
) -> None:
    own = {"SERVER": server, "CLIENT_ID": client_id, "PORT": str(port), "CERTIFICATE": str(service.certificate)}
    with agent(kind, tmp_path, **own) as running:
        here.open(address_in(running, scope="notes:read"))
        sign_in_and_allow(here, email, "Agent")
        assert running.hear() == {"revision": REVISION}
        assert running.hear() == {"tools": ["read_notes", "add_note"]}
        first = running.hear()
        assert (first["read"], set(first["scope"].split())) == ({"result": []}, {"notes:read", "offline_access"})

        here.open(address_in(running, scope="notes:read notes:write"))
        allow_more(here, ["Read your notes", "Add notes"])
        more = running.hear()
        assert (more["added"], "notes:write" in more["scope"].split()) == ({"result": 1}, True)
        assert running.hear() == {"read": {"result": ["hello"]}, "client_id": client_id}

    assert service.query(
        "SELECT registration_source FROM oauth2_provider_application WHERE client_id = '" + client_id + "'"
    ) == [("cimd",)]


def address_in(running: Agent, *, scope: str) -> str:
    """Return the address that the agent opens, which asks for *scope* and for this server alone."""
    address = str(running.hear()["open"])
    assert "resource=" in address
    for name in scope.split():
        assert name.replace(":", "%3A") in address
    return address
