"""Applications whose scripts in browsers hold tokens (RFC 10017, BCP 212): who reads which answer, and how long access lasts."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.oauth.models import ApplicationPolicy, Authorization
from auth_core.oauth.testing.factories import Registered, make_application, make_tokens, refresh
from auth_core.oauth.testing.proofs import KeyHolder
from people import asked

pytestmark = pytest.mark.django_db

ORIGIN = "https://spa.example"
STRANGERS = [
    "https://spa.example.evil",
    "https://spa.exampl",
    "https://spa.example:8443",
    "http://spa.example",
    "https://SPA.example",
    "null",
]

#: What a script asks, and what it must be allowed to read.
ENDPOINTS = ["/oauth/token", "/oauth/revoke", "/oauth/userinfo"]


@pytest.fixture
def spa(db: None) -> Registered:
    """A public application with an origin."""
    return make_application(public=True, allowed_origins=ORIGIN)


def allowed(response: Any) -> str | None:
    """Return the origin whose scripts may read the response."""
    origin: str | None = response.headers.get("Access-Control-Allow-Origin")
    return origin


@pytest.mark.parametrize("path", ENDPOINTS)
def test_scripts_of_a_registered_origin_read_answers_and_refusals(path: str, spa: Registered) -> None:
    preflight = Browser().options(path, HTTP_ORIGIN=ORIGIN, HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST")
    answer = Browser().post(path, HTTP_ORIGIN=ORIGIN)

    assert preflight.status_code == 204
    assert answer.status_code in (400, 401)
    assert allowed(preflight) == allowed(answer) == ORIGIN
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in {**preflight.headers, **answer.headers}
    assert {"Authorization", "Content-Type", "DPoP"} <= set(
        preflight.headers["Access-Control-Allow-Headers"].split(", ")
    )
    assert "DPoP-Nonce" in answer.headers["Access-Control-Expose-Headers"].split(", ")


@pytest.mark.parametrize("origin", STRANGERS)
@pytest.mark.parametrize("path", ENDPOINTS)
def test_scripts_of_other_origins_read_nothing(path: str, origin: str, spa: Registered) -> None:
    for method in ("options", "post"):
        assert allowed(getattr(Browser(), method)(path, HTTP_ORIGIN=origin)) is None


def test_scripts_of_a_disabled_application_read_nothing(spa: Registered) -> None:
    ApplicationPolicy.objects.update(is_active=False)

    assert allowed(Browser().options("/oauth/token", HTTP_ORIGIN=ORIGIN)) is None


@pytest.mark.parametrize("path", ["/.well-known/jwks.json", "/.well-known/openid-configuration"])
def test_every_script_reads_keys_and_metadata(path: str, db: None) -> None:
    assert allowed(Browser().get(path, HTTP_ORIGIN="https://anyone.example")) == "*"


@pytest.mark.parametrize("path", ["/oauth/authorize", "/oauth/introspect", "/oauth/device_authorization", "/device/"])
def test_no_script_reads_what_is_not_for_scripts(path: str, spa: Registered) -> None:
    for method in ("get", "post", "options"):
        assert allowed(getattr(Browser(), method)(path, asked(spa), HTTP_ORIGIN=ORIGIN)) is None


def test_a_challenge_for_a_nonce_can_be_read(spa: Registered) -> None:
    proof = KeyHolder().proof(nonce=None)
    browser = Browser(HTTP_ORIGIN=ORIGIN)

    answer = spa.post("/oauth/token", browser, grant_type="refresh_token", refresh_token="x", proof=proof)

    assert answer.json()["error"] == "use_dpop_nonce"
    assert answer.headers["DPoP-Nonce"]
    assert allowed(answer) == ORIGIN


def test_refresh_tokens_of_a_browser_are_short_and_work_once(spa: Registered, alice: Any, clock: Any) -> None:
    scopes = ["openid", "offline_access"]
    first = make_tokens(spa, alice, scopes=scopes)["refresh_token"]
    begun = Authorization.objects.get().created_at
    assert Authorization.objects.get().expires_at - begun == timedelta(hours=24)

    clock.forward(hours=23, minutes=59)
    second = refresh(spa, first).json()["refresh_token"]
    assert second != first
    clock.forward(minutes=1)
    assert refresh(spa, second).json()["error"] == "invalid_grant", "no use prolongs it"


def test_only_public_applications_with_an_origin_are_short(alice: Any, settings: Any) -> None:
    """A back end keeps its refresh tokens, and a program on a device is in no browser."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "BROWSER_AUTHORIZATION_LIFETIME": timedelta(hours=2)}
    kinds: dict[str, dict[str, Any]] = {
        "back end": {"allowed_origins": ORIGIN},
        "native": {"public": True},
        "browser": {"public": True, "allowed_origins": ORIGIN},
        "shorter": {"public": True, "allowed_origins": ORIGIN, "refresh_token_lifetime": timedelta(hours=1)},
        "longer": {"public": True, "allowed_origins": ORIGIN, "refresh_token_lifetime": timedelta(days=9)},
    }
    lifetimes = {
        name: make_application(**columns).registered.lifetime_of_authorizations for name, columns in kinds.items()
    }

    assert lifetimes == {
        "back end": timedelta(days=30), "native": timedelta(days=30), "browser": timedelta(hours=2),
        "shorter": timedelta(hours=1), "longer": timedelta(hours=2),
    }  # fmt: skip


def test_the_use_of_a_stolen_refresh_token_ends_the_access(spa: Registered, alice: Any) -> None:
    stolen = make_tokens(spa, alice)["refresh_token"]
    kept = refresh(spa, stolen).json()["refresh_token"]

    assert refresh(spa, stolen).json()["error"] == "invalid_grant"
    assert refresh(spa, kept).json()["error"] == "invalid_grant"
