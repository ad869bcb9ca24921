"""The profile `high`: the FAPI 2.0 Security Profile, for the whole site or for one application."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks
from joserfc.jws import extract_compact

from auth_core.oauth.endpoints.metadata import provider_metadata
from auth_core.oauth.models import Resource
from auth_core.oauth.testing.factories import (
    REDIRECT_URI,
    Registered,
    exchange,
    introspect,
    make_application,
    make_code,
    post_form,
    refresh,
)
from auth_core.oauth.testing.proofs import KeyHolder, SigningApplication, make_signing_application, push
from people import asked, authorize, browser_of

pytestmark = pytest.mark.django_db

Make = Callable[..., SigningApplication]


@pytest.fixture(params=["site", "application"])
def make_high(request: pytest.FixtureRequest, settings: Any) -> Make:
    """Makes an application with the profile: by the setting of the site, or by its own policy."""
    if request.param == "site":
        settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "PROFILE": "high"}
        return make_signing_application
    return lambda **columns: make_signing_application(profile="high", **columns)


@pytest.fixture
def key() -> KeyHolder:
    """The proof key of a client."""
    return KeyHolder()


def header_of(token: str) -> Any:
    return extract_compact(token.encode()).protected


@pytest.mark.asvs("10.4.16")
def test_no_shared_secret_is_accepted(make_high: Make) -> None:
    profile = make_high().policy.profile
    application = make_application(grant="client-credentials", profile=profile)

    answer = application.post("/oauth/token", grant_type="client_credentials", proof=KeyHolder().proof())

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_it_is_for_confidential_clients(make_high: Make, alice: Any) -> None:
    application = make_application(public=True, profile=make_high().policy.profile)

    for path in ("/oauth/token", "/oauth/par", "/oauth/revoke"):
        assert application.post(path, **asked(application)).json()["error"] == "invalid_client"
    assert authorize(browser_of(alice), application).status_code == 400


@pytest.mark.asvs("10.4.14")
def test_every_token_is_bound_to_a_key(make_high: Make, alice: Any, key: KeyHolder) -> None:
    application = make_high()
    code = make_code(application, alice)

    assert exchange(application, code).json()["error"] == "invalid_dpop_proof"
    body = exchange(application, code, proof=key.proof()).json()

    assert body["token_type"] == "DPoP"
    assert introspect(application, body["access_token"])["cnf"] == {"jkt": key.thumbprint}


@pytest.mark.asvs("10.4.13")
def test_every_request_is_pushed(make_high: Make, alice: Any) -> None:
    assert authorize(browser_of(alice), make_high()).status_code == 400


@pytest.mark.asvs("10.4.12")
@pytest.mark.parametrize("outside", ["form_post", "fragment", "query.jwt", ""])
def test_the_response_mode_is_the_one_that_the_client_pushed(make_high: Make, alice: Any, outside: str) -> None:
    """What a browser could change does not count: a client gets answers only in the mode that it asked for itself."""
    application = make_high(is_first_party=True)
    name = push(application, **asked(application)).json()["request_uri"]

    answer = browser_of(alice).get(
        "/oauth/authorize", {"client_id": application.client_id, "request_uri": name, "response_mode": outside}
    )

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{REDIRECT_URI}?code=")
    refused = push(application, **asked(application, response_mode="fragment"))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("audience", ["/oauth/token", "/oauth/par"])
def test_an_assertion_is_for_the_issuer_alone(make_high: Make, audience: str) -> None:
    application = make_high(grant="client-credentials")
    body = {**application.credentials(), "token": "x"}
    assert post_form("/oauth/introspect", body).status_code == 200

    body["client_assertion"] = application.assertion(aud=f"https://auth.example.org{audience}")

    assert post_form("/oauth/introspect", body).json()["error"] == "invalid_client"


def test_assertions_are_not_signed_with_rs256(make_high: Make) -> None:
    for algorithm, status in (("RS256", 401), ("PS256", 200)):
        application = make_high(holder=KeyHolder(algorithm))
        assert application.post("/oauth/introspect", token="x").status_code == status


@pytest.mark.parametrize(
    ("chosen", "used"), [("", "ES256"), ("RS256", "ES256"), ("PS256", "PS256"), ("EdDSA", "EdDSA")]
)
def test_id_tokens_are_not_signed_with_rs256(
    make_high: Make, chosen: str, used: str, alice: Any, key: KeyHolder
) -> None:
    application = make_high(id_token_algorithm=chosen)

    body = exchange(application, make_code(application, alice), proof=key.proof()).json()

    assert header_of(body["id_token"])["alg"] == used


def test_access_tokens_are_not_signed_with_rs256(make_high: Make, key: KeyHolder) -> None:
    Resource.objects.create(uri="https://api.example", signing_algorithm="RS256")
    application = make_high(grant="client-credentials")

    body = application.post(
        "/oauth/token", grant_type="client_credentials", resource="https://api.example", proof=key.proof()
    ).json()

    assert header_of(body["access_token"])["alg"] == "ES256"


def test_refresh_tokens_do_not_rotate(make_high: Make, alice: Any, key: KeyHolder) -> None:
    application = make_high(rotates_refresh_tokens=True)
    token = exchange(application, make_code(application, alice), proof=key.proof()).json()["refresh_token"]

    answers = [refresh(application, token, proof=KeyHolder().proof()) for _use in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert "refresh_token" not in answers[0].json()


def test_discovery_says_what_is_on(settings: Any) -> None:
    usual = provider_metadata()
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "PROFILE": "high"}

    high = provider_metadata()

    assert usual["require_pushed_authorization_requests"] is False
    assert high["require_pushed_authorization_requests"] is True
    for endpoint in ("token", "introspection", "revocation"):
        assert high[f"{endpoint}_endpoint_auth_methods_supported"] == ["private_key_jwt"]
        assert high[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] == ["PS256", "ES256", "EdDSA"]
        assert "RS256" in usual[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
    assert high["dpop_signing_alg_values_supported"] == usual["dpop_signing_alg_values_supported"]
    assert "RS256" not in high["id_token_signing_alg_values_supported"]
    assert high["authorization_response_iss_parameter_supported"] is True


def test_a_secret_is_no_longer_accepted_at_the_next_request(alice: Any) -> None:
    application = make_application()
    assert introspect(application, "x") == {"active": False}

    application.policy.__class__.objects.update(profile="high")

    assert application.post("/oauth/introspect", token="x").status_code == 401


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({"PROFILE": "higher"}, "auth_oauth.E010"), ({"PUSHED_REQUEST_LIFETIME": None}, "auth_oauth.E011")],
)
def test_a_wrong_setting_is_an_error(changes: dict[str, Any], problem: str, settings: Any) -> None:
    values = {name: timedelta(minutes=10) if value is None else value for name, value in changes.items()}
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, **values}

    assert problem in [message.id for message in run_checks()]


def test_a_usual_application_is_as_before(web: Registered, alice: Any) -> None:
    body = exchange(web, make_code(web, alice)).json()

    assert (body["token_type"], header_of(body["id_token"])["alg"]) == ("Bearer", "RS256")
