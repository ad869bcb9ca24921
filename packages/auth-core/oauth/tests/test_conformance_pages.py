"""The modules of the OpenID Foundation's plans that are about the authorization endpoint, each by its name.

Source: the plan ``oidcc-basic-certification-test-plan`` of the public conformance suite. Every client here sends PKCE, because
this provider requires it. Each docstring says what the module checks.
"""

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


def prove_again(browser: Browser, response: Any) -> Any:
    """Prove the password again on the page that *response* leads to, and return the response after it."""
    address = response.headers["Location"]
    assert address.startswith("/login/again/?"), address
    begun = browser.post(address)
    assert begun.headers["Location"] == "/login/answer/", begun.content
    return browser.post("/login/answer/", {"password": PASSWORD})


def test_oidcc_server(own: Registered, alice: Any) -> None:
    """A login with the code flow ends with an ID token for the person, the client and the nonce."""
    browser = Browser()

    answer = answer_in(follow(browser, log_in(browser, authorize(browser, own), alice)))

    claims = id_token(own, answer)
    assert answer["state"] == STATE
    assert claims["sub"] == str(identity_of(alice).subject_id)
    assert claims["aud"] == own.client_id
    assert claims["nonce"] == NONCE


def test_oidcc_response_type_missing(own: Registered, browser: Browser) -> None:
    """A request without response_type gets an error, by redirect or on a page."""
    assert error_in(authorize(browser, own, response_type=None)) == "invalid_request"


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(own: Registered, browser: Browser) -> None:
    """A nonce is optional with the code flow, and the ID token then has none."""
    assert "nonce" not in id_token(own, answer_in(authorize(browser, own, nonce=None)))


@pytest.mark.parametrize("scope", ["profile", "email", "address", "phone", "profile email address phone"])
def test_oidcc_scope(own: Registered, browser: Browser, scope: str) -> None:
    """Modules oidcc-scope-profile, -email, -address, -phone and -all: a request for the scope succeeds."""
    answer = answer_in(authorize(browser, own, scope=f"openid {scope}"))

    assert exchange(own, answer["code"]).json()["scope"] == f"openid {scope}"


@pytest.mark.parametrize("display", ["page", "popup"])
def test_oidcc_display(web: Registered, browser: Browser, display: str) -> None:
    """Modules oidcc-display-page and oidcc-display-popup: the parameter is accepted, and the consent page is shown."""
    assert answer_in(decide(browser, authorize(browser, web, display=display)))["code"]


def test_oidcc_prompt_login(own: Registered, alice: Any, clock: Any) -> None:
    """prompt=login asks a person who is signed in again. The second ID token has a later auth_time."""
    browser = browser_of(alice)
    first = id_token(own, answer_in(authorize(browser, own)))
    clock.forward(minutes=1)

    response = authorize(browser, own, prompt="login")
    second = id_token(own, answer_in(follow(browser, prove_again(browser, response))))

    assert second["auth_time"] == first["auth_time"] + 60
    assert second["sub"] == first["sub"]


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


def test_oidcc_prompt_none_not_logged_in(own: Registered) -> None:
    """prompt=none without a session gets login_required at the redirect address, and no page is shown."""
    response = authorize(Browser(), own, prompt="none")

    assert response.status_code == 303
    assert answer_in(response)["error"] == "login_required"
    assert answer_in(response)["state"] == STATE
    assert answer_in(response)["iss"] == "https://auth.example.org"


def test_oidcc_prompt_none_logged_in(web: Registered, browser: Browser) -> None:
    """prompt=none with a session and a remembered consent gets a code without a page, with the same auth_time."""
    first = id_token(web, allowed(browser, web))

    response = authorize(browser, web, prompt="none")

    assert response.status_code == 303
    assert id_token(web, answer_in(response))["auth_time"] == first["auth_time"]


def test_prompt_none_without_a_consent_gets_consent_required(web: Registered, browser: Browser) -> None:
    assert error_in(authorize(browser, web, prompt="none")) == "consent_required"


def test_oidcc_max_age_1(own: Registered, alice: Any, clock: Any) -> None:
    """max_age=1 asks a person again who signed in more than a second ago. The ID token has a later auth_time."""
    browser = browser_of(alice)
    first = id_token(own, answer_in(authorize(browser, own)))
    clock.forward(hours=1)

    response = authorize(browser, own, max_age="1")
    clock.forward(seconds=5)
    second = id_token(own, answer_in(follow(browser, prove_again(browser, response))))

    assert second["auth_time"] == first["auth_time"] + 3605


def test_max_age_with_prompt_none_gets_login_required(own: Registered, alice: Any, clock: Any) -> None:
    browser = browser_of(alice)
    clock.forward(hours=1)

    assert error_in(authorize(browser, own, max_age="1", prompt="none")) == "login_required"


def test_oidcc_max_age_10000(own: Registered, alice: Any, clock: Any) -> None:
    """max_age=10000 asks no one again who signed in recently. Both ID tokens have the same auth_time."""
    browser = browser_of(alice)
    first = id_token(own, answer_in(authorize(browser, own)))
    clock.forward(minutes=5)

    response = authorize(browser, own, max_age="10000")

    assert response.status_code == 303
    assert id_token(own, answer_in(response))["auth_time"] == first["auth_time"]


def test_auth_time_is_that_of_this_session(own: Registered, alice: Any, clock: Any) -> None:
    """A newer login in another browser is not that of this session."""
    browser = browser_of(alice)
    first = id_token(own, answer_in(authorize(browser, own)))
    clock.forward(minutes=5)
    browser_of(alice)

    assert id_token(own, answer_in(authorize(browser, own)))["auth_time"] == first["auth_time"]


def test_oidcc_ensure_request_with_unknown_parameter_succeeds(own: Registered, browser: Browser) -> None:
    """Unknown parameters are ignored."""
    assert answer_in(authorize(browser, own, extra="foobar"))["code"]


def test_oidcc_id_token_hint(own: Registered, browser: Browser) -> None:
    """An ID token as a hint, with prompt=none: the ID token that follows is about the same person."""
    body = exchange(own, answer_in(authorize(browser, own))["code"]).json()

    answer = answer_in(authorize(browser, own, prompt="none", id_token_hint=body["id_token"]))

    assert id_token(own, answer)["sub"]


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


def test_oidcc_login_hint(own: Registered) -> None:
    """login_hint is accepted. The form of the login is filled in with it."""
    browser = Browser()

    form = follow(browser, authorize(browser, own, login_hint="alice@example.org"))

    assert 'value="alice@example.org"' in form.content.decode()


def test_oidcc_ui_locales(web: Registered, browser: Browser, settings: Any) -> None:
    """ui_locales is accepted. Unknown languages are no error, and the first that is offered is used."""
    page = authorize(browser, web, ui_locales="xx-YY zz de en")

    assert '<html lang="de"' in page.content.decode()
    assert answer_in(decide(browser, page))["code"]


def test_oidcc_claims_locales(own: Registered, browser: Browser) -> None:
    """claims_locales is accepted."""
    assert answer_in(authorize(browser, own, claims_locales="se"))["code"]


@pytest.mark.parametrize("levels", ["1 2", "aal2 aal1", "urn:unknown"])
def test_oidcc_ensure_request_with_acr_values_succeeds(own: Registered, browser: Browser, levels: str) -> None:
    """acr_values are voluntary: a request for levels that cannot be reached succeeds, with the level that was proved."""
    assert id_token(own, answer_in(authorize(browser, own, acr_values=levels)))["acr"] == "aal1"


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


def test_oidcc_ensure_registered_redirect_uri(web: Registered, browser: Browser) -> None:
    """An address that is not registered gets a page with an error, and no redirect."""
    response = authorize(browser, web, redirect_uri=f"{REDIRECT_URI}/other")

    assert response.status_code == 400
    assert "Location" not in response.headers


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


def test_oidcc_ensure_post_request_succeeds(own: Registered, browser: Browser) -> None:
    """The authorization endpoint takes POST as it takes GET."""
    stored = browser.post("/oauth/authorize", encoded(asked(own)), content_type="application/x-www-form-urlencoded")

    assert id_token(own, answer_in(follow(browser, stored)))["nonce"] == NONCE


def test_oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(
    own: Registered, browser: Browser
) -> None:
    """A request_uri is used, or refused with request_uri_not_supported."""
    assert error_in(authorize(browser, own, request_uri="https://rp.example/r")) == "request_uri_not_supported"


def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(
    own: Registered, browser: Browser
) -> None:
    """A request object is used, or refused with request_not_supported."""
    assert error_in(authorize(browser, own, request="eyJhbGciOiJub25lIn0.e30.")) == "request_not_supported"


def test_oidcc_ensure_request_object_with_redirect_uri(own: Registered, browser: Browser) -> None:
    """The redirect address of a request object is never used: the object is refused."""
    assert error_in(authorize(browser, own, request="eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2UifQ."))


def test_oidcc_claims_essential(own: Registered, alice: Any) -> None:
    """An essential claim of the parameter claims is returned."""
    browser = browser_of(alice)
    claims = '{"id_token": {"name": {"essential": true}}}'

    assert id_token(own, answer_in(authorize(browser, own, claims=claims)))["name"] == "Alice"


def test_oidcc_ensure_request_with_valid_pkce_succeeds(own: Registered, browser: Browser) -> None:
    """A request with S256 gets tokens for its verifier."""
    assert exchange(own, answer_in(authorize(browser, own))["code"]).status_code == 200


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
