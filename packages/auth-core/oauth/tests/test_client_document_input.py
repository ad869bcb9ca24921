"""Bad documents: each is a page, and nothing is stored."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.events import Event
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ClientDocument
from auth_core.oauth.testing.document_site import DocumentSite
from document_clients import Described, stored
from people import browser_of

pytestmark = pytest.mark.django_db

GIGABYTE = 1024**3
PATH = "/client.json"


@pytest.fixture
def browser(alice: Any) -> Browser:
    """The browser of alice, who has signed in."""
    return browser_of(alice)


def assert_refused(browser: Browser, client_id: str, words: str) -> None:
    """Assert that the client gets nothing: the person reads a page without a way to it, and nothing is stored."""
    page = Described(client_id).come(browser)

    text = page.content.decode()
    assert (page.status_code, stored()) == (400, (0, 0, 0)), text
    assert words in text
    assert "client.example" not in text, "no link to the client, and nothing that the document says"


UNREADABLE = "cannot be read at its address"


@pytest.mark.parametrize("status", [201, 204, 301, 302, 303, 307, 308, 401, 404, 410, 429, 500, 503])
def test_another_status(site: DocumentSite, browser: Browser, status: int) -> None:
    right = json.dumps(site.members()).encode()
    elsewhere = site.serve("/elsewhere", right)
    # The answer itself would be right.
    site.serve(PATH, b"" if status == 204 else right, status=status, headers={"Location": elsewhere})

    assert_refused(browser, site.url(), UNREADABLE)

    assert site.visits == [PATH], "no redirect is followed"


def test_an_endless_document_is_cut(site: DocumentSite, browser: Browser, settings: Any) -> None:
    # Long enough that the size cuts it, and not the time.
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_TIMEOUT": timedelta(seconds=20)}

    assert_refused(browser, site.serve_endless(PATH, GIGABYTE), UNREADABLE)

    assert site.sent < GIGABYTE / 512, "the connection is closed: what was sent waits in the buffers of the system"


def test_a_document_that_is_too_long(site: DocumentSite, browser: Browser) -> None:
    right = json.dumps(site.members()).encode()
    site.serve(PATH, right + b" " * (16_385 - len(right)))
    assert_refused(browser, site.url(), UNREADABLE)

    site.serve(PATH, right + b" " * (16_384 - len(right)))
    assert Described(site.url()).come(browser).status_code == 200


def test_a_site_that_never_answers(site: DocumentSite, browser: Browser, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_TIMEOUT": timedelta(milliseconds=200)}

    assert_refused(browser, site.serve_never(PATH), UNREADABLE)


def test_a_site_that_is_down(site: DocumentSite, browser: Browser) -> None:
    assert_refused(browser, "https://localhost:1/client.json", UNREADABLE)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[fd00::1]", "0.0.0.0"]
)
def test_a_private_address(site: DocumentSite, browser: Browser, settings: Any, host: str) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_ALLOWED_NETWORKS": []}
    port = site.describe().rpartition(":")[2]

    assert_refused(browser, f"https://{host}:{port}", UNREADABLE)

    assert site.visits == []


def test_a_certificate_of_no_one_that_is_trusted(site: DocumentSite, browser: Browser, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_CA_FILE": ""}

    assert_refused(browser, site.describe(), UNREADABLE)


@pytest.mark.parametrize(
    "content_type", ["text/html", "image/png", "application/octet-stream", "", "application/jsonp"]
)
def test_another_content_type(site: DocumentSite, browser: Browser, content_type: str) -> None:
    client_id = site.describe(headers={"Content-Type": content_type})

    assert_refused(browser, client_id, "Its content type is not that of JSON.")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/client-metadata+json", "APPLICATION/JSON"]
)
def test_each_content_type_of_json(site: DocumentSite, browser: Browser, content_type: str) -> None:
    assert Described(site.describe(headers={"Content-Type": content_type})).come(browser).status_code == 200


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "text": b"hello",
    "a page": b"<!doctype html><title>Client</title>",
    "half of it": b'{"client_id": "https',
    "bytes": b"\xff\xfe\x00",
    "another encoding": '{"client_id": "x"}'.encode("utf-16"),
    "deep": b"[" * 8_000 + b"]" * 8_000,
    "a long number": b'{"a": ' + b"1" * 10_000 + b"}",
    "an array": b"[]",
    "null": b"null",
    "a member twice": b'{"client_id": "https://a.example/c", "client_id": "https://b.example/c"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
def test_no_json(site: DocumentSite, browser: Browser, body: bytes) -> None:
    assert_refused(browser, site.serve(PATH, body), "It is not")


@pytest.mark.parametrize("depth", [16, 100, 2_500])
def test_a_deep_document(site: DocumentSite, browser: Browser, depth: int) -> None:
    """Whatever depth the parser of this Python reaches."""
    right = json.dumps(site.members()).encode()
    deep = b'{"a":' * depth + b"1" + b"}" * depth

    assert_refused(browser, site.serve(PATH, right[:-1] + b', "contacts": ' + deep + b"}"), "is not valid")


OTHERS = "It is about another client."

MEMBERS: dict[str, tuple[dict[str, Any], str]] = {
    "no id": ({"client_id": None}, OTHERS),
    "another id": ({"client_id": "https://client.example/client.json"}, OTHERS),
    "an id that is no text": ({"client_id": ["x"]}, OTHERS),
    "a secret": ({"client_secret": "x"}, "It has a secret"),
    "the end of a secret": ({"client_secret_expires_at": 0}, "It has a secret"),
    "a method with a secret": ({"token_endpoint_auth_method": "client_secret_basic"}, "private_key_jwt, or not at all"),
    "a method that is no text": ({"token_endpoint_auth_method": 1}, "private_key_jwt, or not at all"),
    "a key without keys": ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks:"),
    "keys that are text": ({"token_endpoint_auth_method": "private_key_jwt", "jwks": "x"}, "jwks is not an object"),
    "keys that are none": (
        {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [{"kty": "oct"}]}},
        "jwks:",
    ),
    "keys at http": (
        {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": "http://client.example/k"},
        "jwks_uri:",
    ),
    "no address": ({"redirect_uris": None}, "redirect_uris:"),
    "no addresses": ({"redirect_uris": []}, "redirect_uris:"),
    "one address": ({"redirect_uris": "https://client.example/cb"}, "redirect_uris is not a list"),
    "addresses that are numbers": ({"redirect_uris": [1]}, "redirect_uris is not a list"),
    "two addresses in one": (
        {"redirect_uris": ["https://client.example/a https://client.example/b"]},
        "redirect_uris is not",
    ),
    "an address with a line": (
        {"redirect_uris": ["https://client.example/a\nhttps://client.example/b"]},
        "redirect_uris:",
    ),
    "http": ({"redirect_uris": ["http://client.example/cb"]}, "redirect_uris:"),
    "a script": ({"redirect_uris": ["javascript:alert(1)"]}, "redirect_uris:"),
    "a fragment": ({"redirect_uris": ["https://client.example/cb#f"]}, "redirect_uris:"),
    "too many addresses": ({"redirect_uris": [f"https://client.example/{n}" for n in range(101)]}, "redirect_uris:"),
    "another grant": ({"grant_types": ["client_credentials"]}, "authorization_code"),
    "grants that are text": ({"grant_types": "authorization_code"}, "grant_types is not a list"),
    "another response": ({"response_types": ["token"]}, "Its response types lack code"),
    "a name with a line": ({"client_name": "Agent\nof client.example"}, "name:"),
    "a name that turns around": ({"client_name": "\u202egro.elpmaxe"}, "name:"),
    "a name that is too long": ({"client_name": "a" * 256}, "name:"),
    "a name that is half a letter": ({"client_name": "\ud800"}, "name:"),
    "a name that is null": ({"client_name": 0}, "client_name is not text"),
    "a page that is a script": ({"client_uri": "javascript:alert(1)"}, "client_uri:"),
    "a page at http": ({"policy_uri": "http://client.example/"}, "policy_uri:"),
    "a page that is too long": ({"tos_uri": f"https://client.example/{'a' * 600}"}, "tos_uri:"),
}


@pytest.mark.parametrize(("members", "words"), MEMBERS.values(), ids=MEMBERS.keys())
def test_members_that_make_no_client(site: DocumentSite, browser: Browser, members: dict[str, Any], words: str) -> None:
    assert_refused(browser, site.describe(**members), words)


def test_a_document_at_two_addresses_is_one_client(site: DocumentSite, browser: Browser) -> None:
    """The address is compared as a string: the document of one address is not that of another spelling."""
    right = json.dumps(site.members()).encode()
    site.serve("/client.json?v=2", right)

    assert_refused(browser, site.url("/client.json?v=2"), OTHERS)


def test_a_refusal_is_recorded(site: DocumentSite, browser: Browser, events: list[Event]) -> None:
    Described(site.serve(PATH, b"[]")).come(browser)
    Described(site.serve(PATH, b"", status=404)).come(browser)

    refused = [event for event in events if event.name is OAuthEvent.DOCUMENT_REFUSED]
    assert [(event.reason, event.data) for event in refused] == [
        ("invalid", {"host": "localhost"}),
        ("unreadable", {"host": "localhost"}),
    ]
    assert all(event.subject is not None for event in refused)


def test_a_document_that_turns_bad_leaves_what_was(site: DocumentSite, browser: Browser) -> None:
    agent = Described(site.describe())
    agent.come(browser)
    before = agent.registered
    ClientDocument.objects.update(expires_at="2000-01-01T00:00:00Z")

    site.describe(redirect_uris=["http://evil.example/cb"])

    assert agent.come(browser).status_code == 400
    assert agent.registered == before


def test_a_document_without_a_name_is_called_by_its_host(site: DocumentSite, browser: Browser) -> None:
    agent = Described(site.describe(client_name=None))
    agent.come(browser)

    assert agent.registered.name == "localhost"
