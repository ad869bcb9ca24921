"""What the parameters of an authorization request do, beside the modules of the conformance plans (see conformance/)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from joserfc import jwt
from joserfc.jwk import KeySet

from auth_core.assurance.methods import Evidence, Method
from auth_core.oauth.keys.algorithms import Registry
from auth_core.oauth.models import Authorization
from auth_core.oauth.testing.factories import REDIRECT_URI, Registered, exchange, make_application
from auth_core.people.lookup import SECOND_FACTORS_PART, identity_of
from auth_core.registries import snapshot_parts
from auth_core.testing.factories import PASSWORD, make_user
from people import (
    NONCE,
    STATE,
    allowed,
    answer_in,
    authorize,
    browser_of,
    decide,
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


@pytest.fixture
def own(db: None) -> Registered:
    """An application of the operator, so that no consent is asked for."""
    return make_application(is_first_party=True)


def id_token(application: Registered, answer: dict[str, str]) -> dict[str, Any]:
    """Return the claims of the ID token for a code, verified as a client does it."""
    body = exchange(application, answer["code"]).json()
    keys = KeySet.import_key_set(Browser().get("/.well-known/jwks.json").json())
    claims: dict[str, Any] = jwt.decode(body["id_token"], keys, registry=Registry(algorithms=["RS256"])).claims
    return claims


def test_prompt_login_is_not_met_by_a_look_at_the_page(own: Registered, alice: Any, clock: Any) -> None:
    """A person who comes back to the handle without a proof is asked again."""
    browser = browser_of(alice)
    clock.forward(minutes=1)

    response = authorize(browser, own, prompt="login")
    again = browser.get(query_of(response)["next"][0])

    assert again.headers["Location"].startswith("/login/again/")
    assert not Authorization.objects.exists()


def test_prompt_login_asks_a_person_who_was_not_signed_in_once(own: Registered, alice: Any) -> None:
    browser = Browser()

    assert answer_in(follow(browser, log_in(browser, authorize(browser, own, prompt="login"), alice)))["code"]


def test_prompt_none_without_a_consent_gets_consent_required(web: Registered, browser: Browser) -> None:
    assert error_in(authorize(browser, web, prompt="none")) == "consent_required"


def test_max_age_with_prompt_none_gets_login_required(own: Registered, alice: Any, clock: Any) -> None:
    browser = browser_of(alice)
    clock.forward(hours=1)

    assert error_in(authorize(browser, own, max_age="1", prompt="none")) == "login_required"


def test_auth_time_is_that_of_this_session(own: Registered, alice: Any, clock: Any) -> None:
    """A newer login in another browser is not that of this session."""
    browser = browser_of(alice)
    first = id_token(own, answer_in(authorize(browser, own)))
    clock.forward(minutes=5)
    browser_of(alice)

    assert id_token(own, answer_in(authorize(browser, own)))["auth_time"] == first["auth_time"]


def test_a_hint_of_another_person_gets_login_required(own: Registered, browser: Browser) -> None:
    other = browser_of(make_user("bob@example.org"))
    hint = exchange(own, answer_in(authorize(other, own))["code"]).json()["id_token"]

    response = authorize(browser, own, id_token_hint=hint)

    assert error_in(authorize(browser, own, prompt="none", id_token_hint=hint)) == "login_required"
    assert query_of(response)["other"] == ["1"]


def test_a_person_who_is_not_the_one_of_the_hint_gets_login_required(own: Registered, alice: Any) -> None:
    bob = browser_of(make_user("bob@example.org"))
    hint = exchange(own, answer_in(authorize(bob, own))["code"]).json()["id_token"]
    browser = Browser()

    logged_in = log_in(browser, authorize(browser, own, id_token_hint=hint), alice)

    assert error_in(follow(browser, logged_in)) == "login_required"


def test_a_hint_of_another_client_is_refused(own: Registered, browser: Browser) -> None:
    hint = exchange(own, answer_in(authorize(browser, own))["code"]).json()["id_token"]

    assert error_in(authorize(browser, make_application(), id_token_hint=hint)) == "invalid_request"


def test_a_voluntary_level_that_is_out_of_reach_is_no_error(own: Registered, browser: Browser) -> None:
    assert id_token(own, answer_in(authorize(browser, own, acr_values="aal3")))["acr"] == "aal1"


@pytest.fixture
def totp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everyone has a one-time code as a second factor, as far as the service knows."""
    parts = dict(snapshot_parts.items()) | {SECOND_FACTORS_PART: lambda user: [{"method": "totp"}]}
    monkeypatch.setattr(snapshot_parts, "_entries", parts)


def test_a_level_within_reach_is_asked_for(own: Registered, browser: Browser, totp: None) -> None:
    response = authorize(browser, own, acr_values="aal2")

    assert response.headers["Location"].startswith("/login/again/?")
    assert query_of(response)["assurance"] == ["aal2"]
    assert error_in(authorize(browser, own, acr_values="aal2", prompt="none")) == "interaction_required"


def test_a_session_that_has_proved_the_level_is_not_asked(own: Registered, alice: Any, totp: None) -> None:
    browser = browser_of(alice, assurance="aal2")

    assert id_token(own, answer_in(authorize(browser, own, acr_values="aal1 aal2")))["acr"] == "aal2"


@pytest.mark.parametrize("wanted", ['"value": "aal2"', '"values": ["aal3", "aal2"]', '"value": "urn:unknown"'])
def test_an_essential_level_that_is_out_of_reach_is_an_error(own: Registered, browser: Browser, wanted: str) -> None:
    claims = f'{{"id_token": {{"acr": {{"essential": true, {wanted}}}}}}}'

    assert error_in(authorize(browser, own, claims=claims)) == "unmet_authentication_requirements"


def test_an_essential_level_within_reach_is_asked_for(own: Registered, browser: Browser, totp: None) -> None:
    claims = '{"id_token": {"acr": {"essential": true, "values": ["aal2"]}}}'

    assert query_of(authorize(browser, own, claims=claims))["assurance"] == ["aal2"]


def test_the_level_that_an_application_requires_is_asked_for(browser: Browser, totp: None) -> None:
    strict = make_application(is_first_party=True, required_assurance="aal2")

    assert query_of(authorize(browser, strict))["assurance"] == ["aal2"]


def test_a_person_who_cannot_reach_the_level_of_an_application_is_refused(browser: Browser) -> None:
    strict = make_application(is_first_party=True, required_assurance="aal2")

    assert error_in(authorize(browser, strict)) == "access_denied"


def test_a_key_that_does_not_reach_the_third_level_is_tried_once(own: Registered, alice: Any, monkeypatch: Any) -> None:
    """Only the use of a key shows whether it is bound to its device."""
    parts = dict(snapshot_parts.items()) | {SECOND_FACTORS_PART: lambda user: [{"method": "passkey"}]}
    monkeypatch.setattr(snapshot_parts, "_entries", parts)
    synced = [Evidence.now(Method.PASSKEY, user_verified=True, phishing_resistant=True)]
    browser = browser_of(alice, evidence=synced)

    response = authorize(browser, own, acr_values="aal3")

    assert response.headers["Location"].startswith("/login/again/?")
    assert "assurance" not in query_of(response)


def test_oidcc_ensure_redirect_uri_in_authorization_request(web: Registered, browser: Browser) -> None:
    """A request without a redirect address gets a page with an error."""
    assert authorize(browser, web, redirect_uri=None).status_code == 400


def test_oidcc_redirect_uri_query_mismatch(web: Registered, browser: Browser) -> None:
    """A registered address with another query gets a page with an error."""
    application = make_application(redirect_uris=f"{REDIRECT_URI}?foo=bar")

    assert authorize(browser, application, redirect_uri=f"{REDIRECT_URI}?foo=baz").status_code == 400


def test_oidcc_redirect_uri_query_added(web: Registered, browser: Browser) -> None:
    """A registered address with a query added gets a page with an error."""
    assert authorize(browser, web, redirect_uri=f"{REDIRECT_URI}?foo=bar").status_code == 400


def test_a_claim_may_be_asked_for_in_the_id_token(own: Registered, browser: Browser) -> None:
    claims = '{"id_token": {"name": {"essential": true}}}'

    assert id_token(own, answer_in(authorize(browser, own, claims=claims)))["name"] == "Alice"


@pytest.mark.parametrize("prompt", [None, "none"])
def test_form_post(own: Registered, browser: Browser, prompt: str | None) -> None:
    """The plan Form-post: the answer is a form that posts code, state and iss to the redirect address."""
    response = authorize(browser, own, response_mode="form_post", prompt=prompt)

    answer = answer_in(response)
    assert response.status_code == 200
    assert set(answer) == {"code", "state", "iss"}
    assert id_token(own, answer)["nonce"] == NONCE


def test_form_post_has_a_policy_of_its_own(own: Registered, browser: Browser) -> None:
    """The script of the page has a nonce that no other response has."""
    policies = {
        authorize(browser, own, response_mode="form_post").headers["Content-Security-Policy"] for _number in range(2)
    }

    assert len(policies) == 2
    assert all("script-src 'self' 'nonce-" in policy and "unsafe" not in policy for policy in policies)


def test_form_post_of_an_error(own: Registered, browser: Browser) -> None:
    """The plan Form-post: an error is posted too."""
    answer = answer_in(authorize(browser, own, response_mode="form_post", response_type="token"))

    assert answer == {
        "error": "unsupported_response_type",
        "error_description": "The only response type is code.",
        "state": STATE,
        "iss": "https://auth.example.org",
    }


def test_prompt_select_account_shows_the_account(own: Registered, browser: Browser, clock: Any) -> None:
    """The person sees which account is used, and a button. Another account needs a login, and no link ends the session."""
    clock.forward(seconds=1)

    page = authorize(browser, own, prompt="select_account")
    other = decide(browser, page, "other")
    form = browser.get(other.headers["Location"])

    assert "alice@example.org" in page.content.decode()
    assert query_of(other)["other"] == ["1"]
    assert b'name="password"' in form.content
    assert browser.get("/account/").status_code == 200
    assert answer_in(decide(browser, page))["code"]


def test_another_account_may_be_selected(own: Registered, browser: Browser, clock: Any) -> None:
    clock.forward(seconds=1)
    bob = make_user("bob@example.org")
    page = authorize(browser, own, prompt="select_account")

    other = decide(browser, page, "other")
    browser.get(other.headers["Location"])
    clock.forward(seconds=1)
    token = browser.cookies["csrftoken"].value
    logged_in = browser.post(
        other.headers["Location"], {"identifier": bob.email, "password": PASSWORD}, HTTP_X_CSRFTOKEN=token
    )
    answer = answer_in(follow(browser, logged_in))

    assert id_token(own, answer)["sub"] == str(identity_of(bob).subject_id)


def test_prompt_consent_asks_again(web: Registered, browser: Browser) -> None:
    allowed(browser, web)

    page = authorize(browser, web, prompt="consent")

    assert page.status_code == 200
    assert answer_in(decide(browser, page))["code"]


def test_the_age_of_a_login_counts_from_its_last_proof(own: Registered, alice: Any, clock: Any) -> None:
    browser = browser_of(alice)
    clock.forward(seconds=60)

    assert authorize(browser, own, max_age=str(int(timedelta(minutes=1).total_seconds()))).status_code == 303
    clock.forward(seconds=1)
    assert authorize(browser, own, max_age="60").headers["Location"].startswith("/login/again/")
