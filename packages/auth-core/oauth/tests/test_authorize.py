"""The authorization endpoint: what is refused, what is stored, and how an answer leaves."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group
from django.test import Client as Browser

from auth_core.events import Event
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy, Authorization, AuthorizationRequest, Consent
from auth_core.oauth.sweep import delete_expired
from auth_core.oauth.testing.factories import REDIRECT_URI, Registered, exchange, make_application
from auth_core.people.lookup import identity_of
from auth_core.testing.factories import make_user
from auth_core.testing.sessions import sign_in
from people import (
    NONCE,
    STATE,
    action_in,
    allowed,
    answer_in,
    approval_in,
    asked,
    authorize,
    browser_of,
    decide,
    encoded,
    error_in,
    follow,
    log_in,
    query_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(alice: Any) -> Browser:
    """The browser of alice, who has signed in."""
    return browser_of(alice)


def test_a_person_consents_and_the_client_gets_a_code(
    web: Registered, alice: Any, browser: Browser, events: list[Event]
) -> None:
    page = authorize(browser, web, scope="openid email")
    answer = answer_in(decide(browser, page))

    assert page.status_code == 200
    assert set(answer) == {"code", "state", "iss"}
    assert answer["state"] == STATE
    assert answer["iss"] == "https://auth.example.org"
    authorization = Authorization.objects.get()
    assert authorization.user == alice
    assert authorization.scope == "openid email"
    assert authorization.nonce == NONCE
    assert {event.name for event in events} >= {OAuthEvent.AUTHORIZATION_GRANTED, OAuthEvent.CONSENT_GIVEN}
    assert exchange(web, answer["code"]).status_code == 200


def test_a_person_who_refuses_sends_access_denied(web: Registered, browser: Browser, events: list[Event]) -> None:
    answer = answer_in(decide(browser, authorize(browser, web), "deny"))

    assert answer["error"] == "access_denied"
    assert answer["state"] == STATE
    assert answer["iss"] == "https://auth.example.org"
    assert not Authorization.objects.exists()
    assert [event.name for event in events][-1] is OAuthEvent.AUTHORIZATION_DENIED


def test_the_login_comes_before_and_leads_back(web: Registered, alice: Any) -> None:
    browser = Browser()

    logged_in = log_in(browser, authorize(browser, web), alice)
    page = follow(browser, logged_in)

    assert page.status_code == 200
    assert answer_in(decide(browser, page))["code"]


def test_the_answer_after_a_form_is_a_page_that_navigates(web: Registered, alice: Any) -> None:
    """Chromium compares every address of a redirect after a form with the form-action of the page before it."""
    ApplicationPolicy.objects.update(is_first_party=True)
    browser = Browser()

    leaving = follow(browser, log_in(browser, authorize(browser, web), alice))

    assert leaving.status_code == 200
    assert answer_in(leaving)["code"]
    assert 'rel="noreferrer"' in leaving.content.decode()
    assert leaving.headers["Cache-Control"] == "no-store"


def test_the_answer_to_a_request_that_needs_nothing_is_a_redirect(web: Registered, browser: Browser) -> None:
    allowed(browser, web)

    assert authorize(browser, web).status_code == 303


@pytest.mark.asvs("10.4.1")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client_id", None),
        ("client_id", "unknown"),
        ("client_id", "x\x00"),
        ("client_id", "x" * 300),
        ("redirect_uri", None),
        ("redirect_uri", "https://evil.example/"),
        ("redirect_uri", "https://RP.example/callback"),
        ("redirect_uri", f"{REDIRECT_URI}?x=1"),
        ("redirect_uri", "javascript:alert(1)"),
    ],
)
@pytest.mark.parametrize("response_type", ["code", "token", None])
def test_nothing_is_redirected_before_client_and_address_are_known(
    web: Registered, browser: Browser, name: str, value: str | None, response_type: str | None
) -> None:
    for send in (browser.get, browser.post):
        parameters = asked(web, **{name: value, "prompt": "none", "response_type": response_type})
        content = {} if send == browser.get else {"content_type": "application/x-www-form-urlencoded"}
        response = send("/oauth/authorize", parameters if send == browser.get else urlencode(parameters), **content)

        assert response.status_code == 400
        assert "Location" not in response.headers
        assert b"refresh" not in response.content
    assert not AuthorizationRequest.objects.exists()


def test_a_disabled_application_gets_nothing(web: Registered, browser: Browser) -> None:
    page = authorize(browser, web)
    ApplicationPolicy.objects.update(is_active=False)

    assert authorize(browser, web).status_code == 400
    assert decide(browser, page).status_code == 400
    assert not Authorization.objects.exists()


def test_an_address_that_is_taken_away_gets_nothing(web: Registered, browser: Browser) -> None:
    page = authorize(browser, web)
    web.row.redirect_uris = "https://rp.example/other"
    web.row.save()

    assert decide(browser, page).status_code == 400


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "prompt", "anything"])
def test_a_repeated_parameter_is_refused(web: Registered, browser: Browser, name: str) -> None:
    value = asked(web).get(name, "x")
    query = encoded({**asked(web), name: [value, value]})

    assert browser.get(f"/oauth/authorize?{query}").status_code == 400
    assert not AuthorizationRequest.objects.exists()


def test_a_long_request_is_refused_and_stores_nothing(web: Registered, browser: Browser) -> None:
    response = authorize(browser, web, state="s" * 20_000)
    posted = browser.post(
        "/oauth/authorize", encoded(asked(web, state="s" * 20_000)), content_type="application/x-www-form-urlencoded"
    )
    many = browser.get(f"/oauth/authorize?{encoded(asked(web))}&{'&'.join(f'x{number}=1' for number in range(60))}")

    assert [response.status_code, posted.status_code, many.status_code] == [400, 400, 400]
    assert not AuthorizationRequest.objects.exists()


@pytest.mark.parametrize("query", ["client_id=%ff", "client_id=%00", "client_id=a&b=%00"])
def test_text_that_no_database_stores_is_refused(browser: Browser, query: str) -> None:
    assert browser.get(f"/oauth/authorize?{query}").status_code == 400


@pytest.mark.parametrize("body", [b"{}", b"\xff", b"a=%ff"])
@pytest.mark.parametrize("content", ["application/json", "application/x-www-form-urlencoded"])
def test_a_body_that_is_no_form_is_refused(browser: Browser, body: bytes, content: str) -> None:
    assert browser.post("/oauth/authorize", body, content_type=content).status_code == 400


@pytest.mark.asvs("10.4.6")
@pytest.mark.asvs("10.4.4")
@pytest.mark.asvs("10.6.1")
@pytest.mark.parametrize(
    ("error", "parameters"),
    [
        ("invalid_request", {"response_type": None}),
        ("unsupported_response_type", {"response_type": "token"}),
        ("unsupported_response_type", {"response_type": "code id_token"}),
        ("invalid_request", {"response_mode": "fragment"}),
        ("request_not_supported", {"request": "e30.e30."}),
        ("request_uri_not_supported", {"request_uri": "https://rp.example/request"}),
        ("invalid_request", {"code_challenge": None}),
        ("invalid_request", {"code_challenge": "short"}),
        ("invalid_request", {"code_challenge": "x" * 43 + "="}),
        ("invalid_request", {"code_challenge_method": None}),
        ("invalid_request", {"code_challenge_method": "plain"}),
        ("invalid_request", {"prompt": "none login"}),
        ("invalid_request", {"prompt": "create"}),
        ("invalid_request", {"max_age": "-1"}),
        ("invalid_request", {"max_age": "soon"}),
        ("invalid_request", {"max_age": "9" * 40}),
        ("invalid_request", {"claims": "{"}),
        ("invalid_request", {"claims": "[]"}),
        ("invalid_request", {"claims": "[" * 5000}),
        ("invalid_request", {"claims": '{"userinfo": 1}'}),
        ("invalid_request", {"claims": '{"id_token": {"acr": 1}}'}),
        ("invalid_request", {"id_token_hint": "x.y.z"}),
        ("invalid_scope", {"scope": 'openid "x"'}),
        ("invalid_target", {"resource": "https://unknown.example"}),
    ],
)
def test_each_error_has_its_code_and_reaches_the_client(
    web: Registered, browser: Browser, error: str, parameters: dict[str, Any]
) -> None:
    answer = answer_in(authorize(browser, web, **parameters))

    assert answer["error"] == error
    assert answer["state"] == STATE
    assert answer["iss"] == "https://auth.example.org"
    assert not Authorization.objects.exists()


@pytest.mark.asvs("10.4.4")
def test_an_application_without_the_grant_is_refused(browser: Browser) -> None:
    service = make_application(grant="client-credentials")

    assert error_in(authorize(browser, service)) == "unauthorized_client"


def test_an_error_is_sent_only_after_the_login(web: Registered, alice: Any) -> None:
    """Otherwise any link would redirect strangers to any application (RFC 9700 section 4.11.2)."""
    browser = Browser()

    response = authorize(browser, web, response_type="token")
    after = follow(browser, log_in(browser, response, alice))

    assert error_in(after) == "unsupported_response_type"


def test_an_error_is_sent_at_once_if_the_client_forbids_pages(web: Registered) -> None:
    assert error_in(authorize(Browser(), web, response_type="token", prompt="none")) == "unsupported_response_type"


def test_post_stores_the_request_and_judges_nothing(web: Registered, browser: Browser) -> None:
    """A POST of another site brings no cookie. The page of the handle gets it."""
    body = encoded(asked(web, prompt="none"))
    allowed(browser, web)

    stranger = Browser(enforce_csrf_checks=True)
    stored = stranger.post("/oauth/authorize", body, content_type="application/x-www-form-urlencoded")
    answer = browser.get(stored.headers["Location"])

    assert stored.status_code == 303
    assert stored.headers["Location"].startswith("/oauth/authorize/ear_")
    assert answer.status_code == 303
    assert answer_in(answer)["code"]


def test_a_request_is_answered_once(web: Registered, browser: Browser) -> None:
    page = authorize(browser, web)
    decide(browser, page)

    assert decide(browser, page).status_code == 410
    assert browser.get(action_in(page)).status_code == 410
    assert Authorization.objects.count() == 1


def test_a_request_expires(web: Registered, browser: Browser, clock: Any) -> None:
    page = authorize(browser, web)
    clock.forward(minutes=11)

    assert decide(browser, page).status_code == 410


def test_the_sweep_deletes_requests_that_have_expired(web: Registered, browser: Browser, clock: Any) -> None:
    authorize(browser, web)
    clock.forward(minutes=11)
    page = authorize(browser, web)

    delete_expired()

    assert AuthorizationRequest.objects.count() == 1
    assert answer_in(decide(browser, page))["code"]


@pytest.mark.asvs("10.4.11")
def test_a_scope_that_the_application_may_not_have_is_left_out(browser: Browser, settings: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SCOPES": {"files": "See your files", "notes": "See your notes"}}
    application = make_application(scopes="files", is_first_party=True)

    answer = answer_in(authorize(browser, application, scope="openid files notes unknown"))

    assert exchange(application, answer["code"]).json()["scope"] == "openid files"


@pytest.mark.parametrize("handle", ["ear_x", "x", "ear_" + "A" * 43, "ear_" + "A" * 5000])
def test_an_unknown_handle_is_refused(browser: Browser, handle: str) -> None:
    assert browser.get(f"/oauth/authorize/{handle}/").status_code == 410


def test_head_issues_no_code(web: Registered, browser: Browser) -> None:
    allowed(browser, web)
    issued = Authorization.objects.count()

    assert browser.head("/oauth/authorize", asked(web)).status_code == 405
    assert Authorization.objects.count() == issued


def test_no_other_site_may_read_the_endpoint(web: Registered, browser: Browser) -> None:
    response = browser.get("/oauth/authorize", asked(web), HTTP_ORIGIN="https://rp.example")

    assert "Access-Control-Allow-Origin" not in response.headers


def test_requests_of_one_network_have_a_budget(web: Registered, settings: Any) -> None:
    settings.AUTH_CORE = {
        **settings.AUTH_CORE,
        "BUDGETS": {"authorize": {"network": (2, timedelta(minutes=1))}},
    }
    browser = Browser()

    statuses = [authorize(browser, web).status_code for _number in range(3)]

    assert statuses == [303, 303, 429]
    assert AuthorizationRequest.objects.count() == 2


def test_a_consent_form_of_another_site_is_refused(web: Registered, browser: Browser) -> None:
    page = authorize(browser, web)

    response = browser.post(action_in(page), {**approval_in(page), "decision": "allow"}, HTTP_X_CSRFTOKEN="wrong")

    assert response.status_code == 403
    assert not Authorization.objects.exists()


def test_only_members_of_the_groups_may_use_an_application(web: Registered, alice: Any, browser: Browser) -> None:
    group = Group.objects.create(name="staff")
    web.policy.allowed_groups.add(group)

    assert error_in(authorize(browser, web)) == "access_denied"
    alice.groups.add(group)
    assert authorize(browser, web).status_code == 200


def test_a_query_of_the_redirect_address_stays(browser: Browser) -> None:
    """OIDF oidcc-redirect-uri-query-OK: a query of the registered address is kept and added to."""
    address = f"{REDIRECT_URI}?tenant=1"
    application = make_application(redirect_uris=address)

    response = decide(browser, authorize(browser, application, redirect_uri=address))

    assert answer_in(response, f"{REDIRECT_URI}?tenant=1&amp;".replace("&amp;", "&"))["code"]


def test_a_loopback_address_may_have_another_port(browser: Browser) -> None:
    native = make_application(public=True, redirect_uris="http://127.0.0.1:8400/cb")

    response = decide(browser, authorize(browser, native, redirect_uri="http://127.0.0.1:51234/cb"))

    assert answer_in(response, "http://127.0.0.1:51234/cb")["code"]


def test_a_private_scheme_is_reached_by_a_page(browser: Browser) -> None:
    native = make_application(public=True, redirect_uris="com.example.app:/cb")

    response = decide(browser, authorize(browser, native, redirect_uri="com.example.app:/cb"))

    assert answer_in(response, "com.example.app:/cb")["code"]


def test_a_session_of_the_sites_own_login_signs_in_again(web: Registered, alice: Any) -> None:
    """Nothing is known about what such a session proved."""
    browser = Browser()
    browser.force_login(alice)

    response = authorize(browser, web)
    form = browser.get(response.headers["Location"])

    assert query_of(response)["other"] == ["1"]
    assert b'name="password"' in form.content
    assert error_in(authorize(browser, web, prompt="none")) == "login_required"
    assert follow(browser, log_in(browser, response, alice)).status_code == 200


def test_an_actor_authorizes_and_leaves_no_consent(web: Registered, alice: Any) -> None:
    helper = make_user("helper@example.org")
    browser = sign_in(alice, actor=helper)

    allowed(browser, web)

    assert Authorization.objects.get().actor_id == identity_of(helper).subject_id
    assert not Consent.objects.exists()
