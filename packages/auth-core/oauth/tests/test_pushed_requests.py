"""Pushed authorization requests (RFC 9126)."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.oauth.clients.registry import REFRESH_TOKEN
from auth_core.oauth.models import ApplicationPolicy, Authorization, AuthorizationRequest
from auth_core.oauth.sweep import delete_expired
from auth_core.oauth.testing.factories import Registered, exchange, make_application, make_tokens, post_form
from auth_core.oauth.testing.proofs import KeyHolder, make_signing_application, push
from people import STATE, allowed, answer_in, asked, authorize, browser_of, decide, error_in, follow, log_in

pytestmark = pytest.mark.django_db

URN = "urn:ietf:params:oauth:request_uri:"


@pytest.fixture
def own(db: None) -> Registered:
    """An application of the operator, so that no consent is asked for."""
    return make_application(is_first_party=True)


@pytest.fixture
def browser(alice: Any) -> Browser:
    """The browser of alice, who has signed in."""
    return browser_of(alice)


def pushed(application: Registered, **parameters: Any) -> str:
    """Push a request, and return its name."""
    response = push(application, **asked(application, **parameters))
    assert response.status_code == 201, response.content
    return str(response.json()["request_uri"])


def visit(browser: Browser, application: Registered, name: str, **parameters: Any) -> Any:
    """Bring the name to the authorization endpoint."""
    return browser.get("/oauth/authorize", {"client_id": application.client_id, "request_uri": name, **parameters})


@pytest.mark.parametrize("public", [True, False])
def test_a_pushed_request_becomes_a_code(public: bool, browser: Browser) -> None:
    application = make_application(public=public, is_first_party=True)

    response = push(application, **asked(application))

    assert response.status_code == 201
    assert set(response.json()) == {"request_uri", "expires_in"}
    assert response.json()["request_uri"].startswith(URN)
    assert 5 <= response.json()["expires_in"] < 600
    assert response.headers["Cache-Control"] == "no-store"
    answer = answer_in(visit(browser, application, response.json()["request_uri"]))
    assert (answer["state"], answer["iss"]) == (STATE, "https://auth.example.org")
    assert exchange(application, answer["code"]).status_code == 200


def test_neither_the_name_nor_a_credential_is_stored(own: Registered) -> None:
    name = pushed(own)

    stored = str(AuthorizationRequest.objects.values())
    assert own.secret not in stored
    assert name.rpartition(":")[2] not in stored


def test_parameters_outside_are_ignored(own: Registered, browser: Browser) -> None:
    outside = {
        "scope": "openid email", "state": "outside", "nonce": "outside", "redirect_uri": "https://evil.example",
        "prompt": "none login", "response_type": "token", "code_challenge": "x",
    }  # fmt: skip

    answer = answer_in(visit(browser, own, pushed(own), **outside))

    assert answer["state"] == STATE
    assert Authorization.objects.get().scope == "openid"


def test_a_name_completes_one_authorization(own: Registered, browser: Browser, alice: Any) -> None:
    name = pushed(own)
    assert answer_in(visit(browser, own, name))["code"]

    again = visit(browser, own, name)

    assert again.status_code == 400
    assert "rp.example" not in again.headers.get("Location", "")
    assert Authorization.objects.count() == 1


def test_visits_before_repeat(own: Registered, alice: Any) -> None:
    browser, name = Browser(), pushed(own)
    assert visit(browser, own, name).headers["Location"].startswith("/login/")

    response = log_in(browser, visit(browser, own, name), alice)

    assert answer_in(follow(browser, response))["code"]


def test_a_name_expires_and_its_handle_cannot_be_guessed(own: Registered, browser: Browser, clock: Any) -> None:
    name = pushed(own)

    clock.forward(minutes=5)

    assert visit(browser, own, name).status_code == 400
    handle = name.rpartition(":")[2]
    assert browser.get(f"/oauth/authorize/{handle}/").status_code == 410


def test_a_person_who_came_in_time_has_the_usual_time(own: Registered, alice: Any, clock: Any) -> None:
    browser, name = Browser(), pushed(own)
    clock.forward(minutes=4)
    response = visit(browser, own, name)

    clock.forward(minutes=9)

    assert answer_in(follow(browser, log_in(browser, response, alice)))["code"]


def test_a_name_is_that_of_one_client(own: Registered, browser: Browser) -> None:
    name, other = pushed(own), make_application(is_first_party=True)

    assert visit(browser, other, name).status_code == 400
    assert visit(browser, Registered(row=other.row, secret=""), f"{URN}x").status_code == 400
    assert answer_in(visit(browser, own, name))["code"]


def test_a_post_leads_to_the_page_of_the_request(own: Registered, browser: Browser) -> None:
    response = browser.post(
        "/oauth/authorize",
        f"client_id={own.client_id}&request_uri={pushed(own)}",
        content_type="application/x-www-form-urlencoded",
    )

    assert answer_in(follow(browser, response))["code"]


def test_consent_is_asked_for_on_the_usual_page(web: Registered, browser: Browser) -> None:
    assert answer_in(decide(browser, visit(browser, web, pushed(web))))["code"]
    assert error_in(decide(browser, visit(browser, web, pushed(web, prompt="consent")), "deny")) == "access_denied"


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "head"])
def test_only_post_is_allowed(method: str, client: Any) -> None:
    assert getattr(client, method)("/oauth/par").status_code == 405


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"request_uri": f"{URN}x"}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://rp.example/other"}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": 'a"b'}, "invalid_scope"),
        ({"resource": "https://unknown.example"}, "invalid_target"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"claims": "x"}, "invalid_request"),
        ({"dpop_jkt": "x"}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_refused_at_once(changes: dict[str, Any], error: str, own: Registered) -> None:
    response = push(own, **asked(own, **changes))

    assert (response.status_code, response.json()["error"]) == (400, error)
    assert not AuthorizationRequest.objects.exists()


def test_a_repeated_parameter_is_refused(own: Registered) -> None:
    response = own.post("/oauth/par", scope=["openid", "openid"])

    assert response.json()["error"] == "invalid_request"


def test_a_request_is_bounded(own: Registered) -> None:
    response = push(own, **asked(own, state="x" * 20_000))

    assert (response.status_code, response.json()["error"]) == (413, "invalid_request")
    assert push(own, **asked(own, state="x" * 70_000)).status_code == 413


@pytest.mark.asvs("10.4.10")
def test_a_client_authenticates_as_at_the_token_endpoint(own: Registered) -> None:
    wrong = post_form("/oauth/par", {**asked(own), "client_secret": "x" * 48})

    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert post_form("/oauth/par", asked(own)).json()["error"] == "invalid_client"


def test_an_application_without_logins_cannot_push(service: Registered) -> None:
    assert push(service, **asked(service)).json()["error"] == "unauthorized_client"


def test_rows_of_anonymous_callers_are_limited(native: Registered, own: Registered, settings: Any) -> None:
    budgets = {"authorize": {"network": (2, timedelta(minutes=1))}}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": budgets}

    answers = [push(native, **asked(native)) for _request in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert push(own, **asked(own)).status_code == 201, "a client that authenticates is not anonymous"
    assert AuthorizationRequest.objects.count() == 3


@pytest.mark.asvs("10.4.13")
def test_an_application_may_require_pushed_requests(browser: Browser) -> None:
    application = make_application(is_first_party=True, require_par=True)

    direct = authorize(browser, application)

    assert direct.status_code == 400
    assert not AuthorizationRequest.objects.exists(), "nothing is stored"
    assert answer_in(visit(browser, application, pushed(application)))["code"]


def test_a_requirement_counts_at_the_next_request(own: Registered, browser: Browser) -> None:
    assert answer_in(authorize(browser, own))["code"]

    ApplicationPolicy.objects.update(require_par=True)

    assert authorize(browser, own).status_code == 400


def test_a_proof_beside_the_request_binds_the_code(own: Registered, browser: Browser) -> None:
    key = KeyHolder()

    def code() -> str:
        response = push(own, proof=key.proof(path="/oauth/par"), **asked(own))
        return answer_in(visit(browser, own, response.json()["request_uri"]))["code"]

    assert exchange(own, code(), proof=KeyHolder().proof()).json()["error"] == "invalid_grant"
    assert exchange(own, code()).json()["error"] == "invalid_grant"
    assert exchange(own, code(), proof=key.proof()).json()["token_type"] == "DPoP"


@pytest.mark.parametrize("is_pushed", [True, False])
def test_the_parameter_dpop_jkt_binds_the_code(is_pushed: bool, own: Registered, browser: Browser) -> None:
    key = KeyHolder()
    named = {"dpop_jkt": key.thumbprint}

    def code() -> str:
        response = visit(browser, own, pushed(own, **named)) if is_pushed else authorize(browser, own, **named)
        return answer_in(response)["code"]

    assert exchange(own, code()).json()["error"] == "invalid_grant"
    assert exchange(own, code(), proof=key.proof()).status_code == 200


def test_a_proof_and_the_parameter_must_name_one_key(own: Registered) -> None:
    key = KeyHolder()
    proof = key.proof(path="/oauth/par")

    response = push(own, proof=proof, **asked(own, dpop_jkt=KeyHolder().thumbprint))

    assert (response.status_code, response.json()["error"]) == (400, "invalid_dpop_proof")
    both = push(own, proof=key.proof(path="/oauth/par"), **asked(own, dpop_jkt=key.thumbprint))
    assert both.status_code == 201


def test_a_proof_and_an_assertion_work_once(alice: Any) -> None:
    application, key = make_signing_application(), KeyHolder()
    proof, credentials = key.proof(path="/oauth/par"), application.credentials()
    body = {**asked(application), **credentials}
    assert post_form("/oauth/par", body, HTTP_DPOP=proof).status_code == 201

    again = post_form("/oauth/par", body)
    replayed = push(application, proof=proof, **asked(application))

    assert again.json()["error"] == "invalid_client"
    assert replayed.json()["error"] == "invalid_dpop_proof"


def test_expired_rows_are_deleted(own: Registered, clock: Any) -> None:
    pushed(own)

    clock.forward(minutes=15)
    delete_expired()

    assert not AuthorizationRequest.objects.exists()


def test_a_login_without_a_push_is_as_before(web: Registered, browser: Browser, alice: Any) -> None:
    assert exchange(web, allowed(browser, web)["code"]).json()["token_type"] == "Bearer"
    assert REFRESH_TOKEN in make_tokens(web, alice)
