"""What people see of a client that describes itself, where its answers go, and how it authenticates."""

import html
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.test import Client as Browser
from django.utils import timezone

from auth_core.oauth.models import Authorization, ClientDocument, Consent, Resource
from auth_core.oauth.proofs import client_keys
from auth_core.oauth.testing.document_site import CALLBACK, HOST, DocumentSite
from auth_core.oauth.testing.factories import introspect, make_application, post_form
from auth_core.oauth.testing.proofs import KeyHolder, SigningApplication
from document_clients import Described
from people import allowed, answer_in, authorize, browser_of, decide

pytestmark = pytest.mark.django_db

#: A loopback address as a native client registers it, and as it listens.
NATIVE, LISTENING = "http://127.0.0.1/callback", "http://127.0.0.1:49152/callback"

MCP = "https://mcp.example"


@pytest.fixture
def browser(alice: Any) -> Browser:
    """The browser of alice, who has signed in."""
    return browser_of(alice)


@pytest.fixture
def notes(settings: Any, site: DocumentSite) -> Resource:
    """A resource whose scopes such clients may ask for."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "CLIENT_DOCUMENT_SCOPES": ["notes:read"]}
    sentences = {"notes:read": "Read your notes", "notes:write": "Change your notes"}
    return Resource.objects.create(uri=MCP, name="Notes", scopes=sentences)


def expire() -> None:
    ClientDocument.objects.update(expires_at=timezone.now())


def is_asked(response: Any) -> bool:
    return response.status_code == 200 and b'name="decision"' in response.content


def text_of(response: Any) -> str:
    """Return what a page says, without its tags."""
    return html.unescape(re.sub(r"<[^>]+>", "", response.content.decode()))


def link_in(response: Any) -> str:
    """Return where the only button of a page about an error leads."""
    (address,) = re.findall(r'<a class="button" href="([^"]*)"', response.content.decode())
    return html.unescape(address)


def test_consent_names_both_hosts_and_what_an_agent_can_do(agent: Described, notes: Resource, browser: Browser) -> None:
    text = text_of(agent.come(browser, scope="openid notes:read offline_access", resource=MCP))

    for shown in (
        f"An application of {HOST}",
        "calls itself Agent",
        "The answer goes to client.example",
        "Read your notes",
    ):
        assert shown in text
    assert "If it is an agent, it does all of this by itself" in text
    assert "alice@example.org" in text


def test_the_list_of_what_a_person_gave_names_the_host(agent: Described, browser: Browser) -> None:
    agent.allow(browser)

    assert f"Agent ({HOST})" in text_of(browser.get("/account/applications/"))
    assert browser.get("/api/v1/me/applications/").json()["results"][0]["name"] == f"Agent ({HOST})"


def test_consent_of_an_application_of_an_administrator_says_nothing_of_agents(browser: Browser) -> None:
    assert "agent" not in text_of(authorize(browser, make_application()))


def test_no_logo_and_no_script_of_a_document_is_shown(site: DocumentSite, browser: Browser) -> None:
    pages = {"client_uri": "https://client.example/", "logo_uri": "https://client.example/logo.png"}
    agent = Described(site.describe(client_name="<script>alert(1)</script>", **pages))

    page = agent.come(browser).content.decode()

    assert 'href="https://client.example/"' in page
    assert "logo.png" not in page
    assert "<script>alert" not in page


def test_what_was_agreed_to_is_asked_again_when_the_document_changes(
    agent: Described, site: DocumentSite, browser: Browser
) -> None:
    agent.allow(browser)
    expire()
    assert not is_asked(agent.come(browser)), "read again, and the same"

    site.describe(contacts=["someone@client.example"])
    expire()

    assert is_asked(agent.come(browser)), "any member counts, also one that nothing here reads"


def test_a_document_that_changes_while_the_page_is_shown_is_shown_again(
    agent: Described, site: DocumentSite, browser: Browser
) -> None:
    page = agent.come(browser)
    site.describe(client_name="Another name")
    expire()

    again = decide(browser, page)

    assert again.status_code == 409
    assert "Another name" in text_of(again)
    assert Authorization.objects.count() == 0
    assert "code" in answer_in(decide(browser, again), CALLBACK)


def test_an_agent_on_a_device_is_asked_for_each_time(site: DocumentSite, browser: Browser) -> None:
    agent = Described(site.describe(redirect_uris=[NATIVE]))

    page = agent.come(browser, redirect_uri=LISTENING)
    assert "The answer goes to an application on your device" in text_of(page)
    agent.allow(browser, redirect_uri=LISTENING)

    assert Consent.objects.count() == 0
    assert is_asked(agent.come(browser, redirect_uri=LISTENING))


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
@pytest.mark.parametrize("port", ["", ":1", ":65535"])
def test_a_program_listens_on_any_port_of_its_device(
    site: DocumentSite, browser: Browser, host: str, port: str
) -> None:
    agent = Described(site.describe(redirect_uris=[f"http://{host}/callback"]))

    assert is_asked(agent.come(browser, redirect_uri=f"http://{host}{port}/callback"))


@pytest.mark.parametrize(
    "address",
    [
        "http://evil.example/cb", "http://127.0.0.1.evil.example/cb", "http://localhost.evil.example/cb", "http://127.1/cb",
        "http://[::2]/cb", "http://u:p@127.0.0.1/cb", "http://0.0.0.0/cb", "https://client.example/*", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_http_for_another_host_is_no_address_of_a_client(site: DocumentSite, browser: Browser, address: str) -> None:
    refused = Described(site.describe("/wrong", redirect_uris=[CALLBACK, address])).come(browser)
    right = Described(site.describe(redirect_uris=[CALLBACK])).come(browser, redirect_uri=address)

    assert (refused.status_code, right.status_code) == (400, 400)
    assert ClientDocument.objects.count() == 1, "the right one"
    for page in (refused, right):
        assert address not in html.unescape(page.content.decode()), "no link leads there"


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"resource": "https://unknown.example"}, "invalid_target"),
        ({"prompt": "none"}, "consent_required"),
    ],
)
def test_an_error_goes_to_the_client_by_the_hand_of_the_person(
    agent: Described, browser: Browser, parameters: dict[str, Any], error: str
) -> None:
    page = agent.come(browser, **parameters)

    assert page.status_code == 400
    assert "http-equiv" not in page.content.decode(), "nothing goes there by itself"
    assert "Go back to client.example" in text_of(page)
    sent = dict(parse_qsl(urlsplit(link_in(page)).query))
    assert link_in(page).startswith(f"{CALLBACK}?")
    assert (sent["error"], sent["state"], sent["iss"]) == (error, "state-1", "https://auth.example.org")


def test_an_error_by_a_form_waits_for_the_person(agent: Described, browser: Browser) -> None:
    page = agent.come(browser, response_mode="form_post", response_type="token")

    assert page.status_code == 400
    assert ".submit()" not in page.content.decode()
    assert f'action="{CALLBACK}"' in page.content.decode()
    assert "form-action" not in page.headers["Content-Security-Policy"]
    assert answer_in(page, CALLBACK)["error"] == "unsupported_response_type"


def test_an_error_is_answered_once(agent: Described, browser: Browser) -> None:
    handle = agent.ask(browser, response_type="token").headers["Location"]
    assert browser.get(handle).status_code == 400

    assert browser.get(handle).status_code == 410


def test_the_person_who_cancels_is_sent_back(agent: Described, browser: Browser) -> None:
    assert answer_in(decide(browser, agent.come(browser), "deny"), CALLBACK)["error"] == "access_denied"


def test_only_scopes_that_the_site_lists_are_given(agent: Described, notes: Resource, browser: Browser) -> None:
    answer = agent.allow(browser, scope="openid notes:read notes:write", resource=MCP)

    assert agent.exchange(answer["code"]).json()["scope"].split() == ["openid", "notes:read"]


def test_offline_access_needs_no_prompt(agent: Described, browser: Browser) -> None:
    body = agent.exchange(agent.allow(browser, scope="openid offline_access")["code"]).json()

    assert "offline_access" in body["scope"].split()
    assert Authorization.objects.get().is_offline
    assert "offline_access" in Browser().get("/.well-known/oauth-authorization-server").json()["scopes_supported"]


def test_a_client_without_refresh_tokens_gets_no_offline_access(site: DocumentSite, browser: Browser) -> None:
    agent = Described(site.describe(grant_types=None))

    body = agent.exchange(agent.allow(browser, scope="openid offline_access")["code"]).json()

    assert (body["scope"], "refresh_token" in body) == ("openid", False)


@pytest.mark.parametrize(("requested", "exchanged"), [(MCP, f"{MCP}/"), (f"{MCP}/", MCP), (f"{MCP}/", f"{MCP}/")])
def test_a_resource_with_and_without_a_slash_is_one(
    agent: Described, notes: Resource, browser: Browser, requested: str, exchanged: str
) -> None:
    code = agent.allow(browser, scope="notes:read", resource=requested)["code"]

    token = agent.exchange(code, resource=exchanged).json()["access_token"]

    owner = make_application()
    Resource.objects.update(application=owner.row)
    assert introspect(owner, token)["aud"] == MCP


def test_a_token_for_a_resource_that_was_not_given_is_refused(
    agent: Described, notes: Resource, browser: Browser
) -> None:
    Resource.objects.create(uri="https://other.example")
    code = agent.allow(browser, scope="notes:read", resource=MCP)["code"]

    assert agent.exchange(code, resource="https://other.example").json()["error"] == "invalid_target"


@pytest.fixture
def signing(site: DocumentSite, browser: Browser) -> SigningApplication:
    """A client that describes itself and has a key. Its document was read."""
    holder = KeyHolder()
    client_id = site.describe(token_endpoint_auth_method="private_key_jwt", jwks_uri=site.url("/keys.json"))
    site.serve("/keys.json", holder.jwks.encode())
    client_keys.forget_fetched_keys()
    agent = Described(client_id)
    agent.come(browser)
    return SigningApplication(row=ClientDocument.objects.get().application, secret="", holder=holder)


def test_a_client_with_a_key_must_use_it(signing: SigningApplication, browser: Browser) -> None:
    agent = Described(signing.client_id)
    code = agent.allow(browser)["code"]

    assert agent.exchange(code).json()["error"] == "invalid_client", "without any credentials"
    assert agent.exchange(code, client_secret="guess").json()["error"] == "invalid_client"
    other = SigningApplication(row=signing.row, secret="", holder=KeyHolder())
    assert agent.exchange(code, **other.credentials()).json()["error"] == "invalid_client"

    assert agent.exchange(code, **signing.credentials()).status_code == 200


def test_the_keys_may_stand_in_the_document(site: DocumentSite, browser: Browser) -> None:
    holder = KeyHolder()
    agent = Described(site.describe(token_endpoint_auth_method="private_key_jwt", jwks=json.loads(holder.jwks)))
    code = agent.allow(browser)["code"]
    signing = SigningApplication(row=ClientDocument.objects.get().application, secret="", holder=holder)

    assert agent.exchange(code, **signing.credentials()).status_code == 200


def test_a_public_client_has_no_secret(agent: Described, browser: Browser) -> None:
    code = agent.allow(browser)["code"]

    assert agent.exchange(code, client_secret="guess").json()["error"] == "invalid_client"
    assert agent.exchange(code).status_code == 200


def test_another_kind_of_client_is_another_application(agent: Described, site: DocumentSite, browser: Browser) -> None:
    first = agent.exchange(agent.allow(browser)["code"]).json()
    before = agent.registered.id
    site.describe(token_endpoint_auth_method="private_key_jwt", jwks_uri=site.url("/keys.json"))
    expire()

    assert is_asked(agent.come(browser)), "the consent of before is gone"

    assert (agent.registered.id == before, agent.registered.is_public) == (False, False)
    assert agent.refresh(first["refresh_token"]).json()["error"] == "invalid_client"
    assert Authorization.objects.count() == 0


def test_a_client_may_bind_its_tokens(site: DocumentSite, browser: Browser) -> None:
    agent = Described(site.describe(dpop_bound_access_tokens=True))
    code = agent.allow(browser)["code"]

    assert agent.exchange(code).json()["error"] == "invalid_dpop_proof"


def test_consents_of_other_clients_are_remembered_as_before(browser: Browser) -> None:
    application = make_application()
    allowed(browser, application)

    assert authorize(browser, application).status_code == 303


def test_an_id_that_is_no_document_gets_no_token(site: DocumentSite) -> None:
    body = {"grant_type": "authorization_code", "client_id": site.describe(), "code": "x"}

    assert post_form("/oauth/token", body).json()["error"] == "invalid_client"
    assert site.visits == [], "the token endpoint fetches nothing"
