"""Clients that describe themselves by a document at their id (Client ID Metadata Documents)."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone
from oauth2_provider.models import get_application_model

from auth_core.events import Event
from auth_core.oauth.checks import check_client_documents
from auth_core.oauth.clients.document_ids import is_document_id, is_welcome
from auth_core.oauth.documents import applications
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy, Authorization, AuthorizationRequest, ClientDocument
from auth_core.oauth.testing.document_site import CALLBACK, HOST, DocumentSite
from auth_core.oauth.testing.factories import Registered, make_application, userinfo
from document_clients import Described, stored
from people import answer_in, asked, browser_of, decide, encoded, error_in, follow, log_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(alice: Any) -> Browser:
    """The browser of alice, who has signed in."""
    return browser_of(alice)


def metadata() -> dict[str, Any]:
    body: dict[str, Any] = Browser().get("/.well-known/oauth-authorization-server").json()
    return body


def expire() -> None:
    """Let the time of each document be over."""
    ClientDocument.objects.update(expires_at=timezone.now())


def test_a_client_that_describes_itself_signs_a_person_in(agent: Described, site: DocumentSite, alice: Any) -> None:
    browser = Browser()

    login = agent.come(browser, scope="openid email")
    assert site.visits == [], "nothing is fetched before the login"
    page = follow(browser, log_in(browser, login, alice))
    answer = answer_in(decide(browser, page), CALLBACK)

    assert (answer["iss"], answer["state"]) == ("https://auth.example.org", "state-1")
    tokens = agent.exchange(answer["code"]).json()
    assert userinfo(tokens["access_token"]).json()["email"] == "alice@example.org"
    assert agent.refresh(tokens["refresh_token"]).status_code == 200
    assert site.visits == ["/client.json"]


def test_the_application_is_what_the_document_says(agent: Described, browser: Browser, events: list[Event]) -> None:
    agent.come(browser)

    application = agent.registered
    assert (application.name, application.redirect_uris, application.is_public) == ("Agent", (CALLBACK,), True)
    assert (application.has_document, application.is_first_party) == (True, False)
    (added,) = [event for event in events if event.name is OAuthEvent.APPLICATION_ADDED]
    assert added.actor is not None, "the trail says with whom it came"


@pytest.mark.parametrize("prompt", ["", "none"])
def test_nothing_is_fetched_without_a_login(agent: Described, site: DocumentSite, prompt: str) -> None:
    answer = agent.come(Browser(), prompt=prompt or None)

    assert answer.status_code == (400 if prompt else 303)
    assert (site.visits, stored()) == ([], (0, 0, 0))


def test_a_post_of_another_site_leads_to_the_same_page(agent: Described, site: DocumentSite, browser: Browser) -> None:
    body = encoded(asked(agent, redirect_uri=CALLBACK))
    posted = Browser(enforce_csrf_checks=True).post(
        "/oauth/authorize", body, content_type="application/x-www-form-urlencoded"
    )
    assert site.visits == []

    assert b"Allow access?" in follow(browser, posted).content


def test_no_client_may_by_default(site: DocumentSite, browser: Browser, settings: Any) -> None:
    settings.AUTH_OAUTH = {name: value for name, value in settings.AUTH_OAUTH.items() if name != "CLIENT_DOCUMENTS"}
    agent = Described(site.describe())

    assert agent.ask(browser).status_code == 400

    assert (site.visits, stored(), AuthorizationRequest.objects.count()) == ([], (0, 0, 0), 0)
    assert "client_id_metadata_document_supported" not in metadata()


@pytest.mark.parametrize(
    ("hosts", "is_allowed"),
    [([HOST], True), ([f".{HOST}"], True), (["client.example"], False), ([f"x.{HOST}"], False), (["ocalhost"], False)],
)
def test_the_site_may_list_hosts(
    site: DocumentSite, browser: Browser, settings: Any, hosts: list[str], is_allowed: bool
) -> None:
    settings.AUTH_OAUTH = {
        **settings.AUTH_OAUTH, "CLIENT_DOCUMENTS": "listed", "CLIENT_DOCUMENT_HOSTS": hosts
    }  # fmt: skip
    agent = Described(site.describe())

    assert agent.ask(browser).status_code == (303 if is_allowed else 400)
    assert metadata()["client_id_metadata_document_supported"] is True


def test_what_the_site_takes_back_ends_at_the_next_request(agent: Described, browser: Browser, settings: Any) -> None:
    tokens = agent.exchange(agent.allow(browser)["code"]).json()

    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "CLIENT_DOCUMENTS": "listed", "CLIENT_DOCUMENT_HOSTS": ["a.example"]}

    assert agent.ask(browser).status_code == 400
    assert agent.refresh(tokens["refresh_token"]).json()["error"] == "invalid_client"


def test_discovery_says_so_if_it_is_on(agent: Described, settings: Any) -> None:
    assert metadata()["client_id_metadata_document_supported"] is True

    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "PROFILE": "high"}

    assert "client_id_metadata_document_supported" not in metadata()
    assert not is_welcome(agent.client_id)


@pytest.mark.parametrize(
    ("changes", "id_"),
    [
        ({"CLIENT_DOCUMENTS": "some"}, "auth_oauth.E012"),
        ({"CLIENT_DOCUMENTS": "listed"}, "auth_oauth.E013"),
        ({"CLIENT_DOCUMENTS": "listed", "CLIENT_DOCUMENT_HOSTS": ["https://client.example"]}, "auth_oauth.E013"),
        ({"CLIENT_DOCUMENTS": "listed", "CLIENT_DOCUMENT_HOSTS": ["*"]}, "auth_oauth.E013"),
        ({"CLIENT_DOCUMENTS": "listed", "CLIENT_DOCUMENT_HOSTS": ["Client.example", "b.example"]}, "auth_oauth.E013"),
        ({"CLIENT_DOCUMENTS": "listed", "CLIENT_DOCUMENT_HOSTS": "client.example"}, "auth_oauth.E013"),
        ({"CLIENT_DOCUMENTS": "listed", "CLIENT_DOCUMENT_HOSTS": ["a.example:8443"]}, "auth_oauth.E013"),
        ({"CLIENT_DOCUMENTS": "all", "PROFILE": "high"}, "auth_oauth.E014"),
    ],
)
def test_a_wrong_value_is_named(changes: dict[str, Any], id_: str, settings: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, **changes}

    assert [error.id for error in check_client_documents()] == [id_]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"CLIENT_DOCUMENTS": "all"},
        {"CLIENT_DOCUMENTS": "listed", "CLIENT_DOCUMENT_HOSTS": ["a.example", ".b.example", "localhost"]},
    ],
)
def test_right_values_are_not_named(changes: dict[str, Any], settings: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, **changes}

    assert check_client_documents() == []


@pytest.mark.parametrize(
    "client_id",
    ["https://a.example/c", "https://a.example:8443/c.json", "https://a.example/c?v=1", "https://a.example/a/.b"],
)
def test_an_address_is_an_id(client_id: str) -> None:
    assert is_document_id(client_id)


@pytest.mark.parametrize(
    "client_id",
    [
        "http://a.example/c", "https://a.example", "https://a.example/", "https://A.example/c", "https://u:p@a.example/c",
        "https://a.example/c#f", "https://a.example/b/../c", "https://a.example/b/%2e%2E/c", "https://a.example/./c",
        "https://a.example/" + "c" * 255, "https://a.example/\\c", "https://a.example/ c", "https://a.example/ü", "https:///c",
        "HTTPS://a.example/c", "", "client", "https://a.example:99999/c",
    ],
)  # fmt: skip
def test_other_texts_are_no_id(client_id: str, browser: Browser, site: DocumentSite) -> None:
    assert not is_document_id(client_id)

    assert Described(client_id).ask(browser).status_code == 400
    assert AuthorizationRequest.objects.count() == 0


def test_a_document_is_read_once_within_its_time(agent: Described, site: DocumentSite, browser: Browser) -> None:
    for _visit in range(3):
        agent.come(browser)
    assert len(site.visits) == 1

    expire()
    agent.come(browser)

    assert len(site.visits) == 2


@pytest.mark.parametrize(
    ("header", "lifetime"),
    [
        ("", timedelta(hours=1)),
        ("max-age=600", timedelta(minutes=10)),
        ("max-age=1", timedelta(minutes=5)),
        ("no-store", timedelta(minutes=5)),
        ("max-age=999999", timedelta(hours=1)),
    ],
)
def test_its_time_is_bounded(site: DocumentSite, browser: Browser, header: str, lifetime: timedelta) -> None:
    Described(site.describe(headers={"Cache-Control": header} if header else None)).come(browser)

    document = ClientDocument.objects.get()
    assert document.expires_at - document.read_at == lifetime


def test_a_failure_is_not_remembered(site: DocumentSite, browser: Browser) -> None:
    agent = Described(site.serve("/client.json", b"", status=503))
    assert agent.come(browser).status_code == 400

    site.describe()

    assert agent.come(browser).status_code == 200


def test_what_cannot_be_read_now_authorizes_nothing_new(agent: Described, site: DocumentSite, browser: Browser) -> None:
    tokens = agent.exchange(agent.allow(browser)["code"]).json()
    expire()
    site.serve("/client.json", b"", status=404)

    assert agent.come(browser).status_code == 400

    assert agent.refresh(tokens["refresh_token"]).status_code == 200, "what was given before stays"


def test_documents_have_a_budget(agent: Described, site: DocumentSite, browser: Browser) -> None:
    for _visit in range(30):
        assert agent.come(browser).status_code == 200
        expire()

    refused = agent.come(browser)

    assert (refused.status_code, len(site.visits)) == (429, 30)


def test_an_application_of_an_administrator_is_not_taken_over(site: DocumentSite, browser: Browser) -> None:
    client_id = site.describe()
    made = make_application(public=True, client_id=client_id, redirect_uris="https://rp.example/callback")

    assert Described(client_id).ask(browser).status_code == 400, (
        "the address of the document is not that of the application"
    )
    assert Described(client_id).ask(browser, redirect_uri="https://rp.example/callback").status_code == 200

    silent = encoded(asked(made, redirect_uri="https://rp.example/callback", prompt="none"))
    posted = Browser().post("/oauth/authorize", silent, content_type="application/x-www-form-urlencoded")
    assert error_in(follow(Browser(), posted)) == "login_required", "its errors are redirects, as those of all others"
    assert (site.visits, ClientDocument.objects.count()) == ([], 0)
    assert made.registered.redirect_uris == ("https://rp.example/callback",)


def test_a_client_that_an_administrator_disabled_stays_so(
    agent: Described, site: DocumentSite, browser: Browser
) -> None:
    agent.come(browser)
    ApplicationPolicy.objects.update(is_active=False)
    expire()

    assert agent.ask(browser).status_code == 400

    assert len(site.visits) == 1


def test_an_administrator_may_require_pushed_requests(agent: Described, browser: Browser) -> None:
    agent.come(browser)
    ApplicationPolicy.objects.update(require_par=True)

    assert agent.come(browser).status_code == 400


def test_a_pushed_request_of_a_known_client_reads_the_document_again(
    agent: Described, site: DocumentSite, browser: Browser
) -> None:
    agent.come(browser)
    pushed = Registered(row=get_application_model().objects.get(), secret="")
    body = {"redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
    challenge = {"code_challenge": "x" * 43, "code_challenge_method": "S256"}
    name = pushed.post("/oauth/par", **body, **challenge).json()["request_uri"]
    expire()
    site.describe(redirect_uris=["https://client.example/other"])

    answer = follow(browser, browser.get("/oauth/authorize", {"client_id": agent.client_id, "request_uri": name}))

    assert (answer.status_code, len(site.visits)) == (400, 2), "its address is none of the client any more"


def test_two_at_once_register_one(agent: Described, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another request registers the client while this one reads its document."""
    load = applications.load_document

    def loaded(client_id: str) -> Any:
        document = load(client_id)
        monkeypatch.setattr(applications, "load_document", load)
        agent.come(browser)
        return document

    monkeypatch.setattr(applications, "load_document", loaded)

    assert agent.come(browser).status_code == 200

    assert stored()[:2] == (1, 1)


def test_the_loser_of_a_race_uses_what_the_winner_registered(
    agent: Described, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The winner commits between the look for a row and the insert of the loser."""
    agent.come(browser)
    expire()
    find, answers = applications._locked, [None]
    monkeypatch.setattr(applications, "_locked", lambda client_id: answers.pop() if answers else find(client_id))

    assert agent.come(browser).status_code == 200

    assert (answers, stored()[:2]) == ([], (1, 1))


def test_the_sweep_removes_what_no_one_uses(agent: Described, site: DocumentSite, browser: Browser) -> None:
    used, authorized = Described(site.describe("/used")), Described(site.describe("/authorized"))
    agent.come(browser)
    used.come(browser)
    authorized.allow(browser)
    ClientDocument.objects.update(used_at=timezone.now() - timedelta(days=31))
    used.come(browser)

    call_command("sweep")

    assert (agent.registered, ClientDocument.objects.count()) == (None, 2)
    Authorization.objects.all().end(reason="test")
    call_command("sweep")
    assert (authorized.registered, used.registered is None) == (None, False)


def test_a_removed_client_comes_back(agent: Described, browser: Browser) -> None:
    agent.come(browser)
    ClientDocument.objects.update(used_at=timezone.now() - timedelta(days=31))
    call_command("sweep")

    assert agent.come(browser).status_code == 200
