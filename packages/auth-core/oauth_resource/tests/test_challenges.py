"""What a refused request is answered, in plain views and in views of DRF."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from auth_core.oauth_resource.api.permissions import RequireScopes
from auth_core.oauth_resource.decorators import require_token
from auth_core.oauth_resource.testing.issuer import FakeIssuer
from conftest import RESOURCE, Get

METADATA = 'resource_metadata="https://api.example.org/.well-known/oauth-protected-resource/notes"'
INVALID = f'Bearer error="invalid_token", error_description="The access token is not valid.", {METADATA}'


def minutes_ago(minutes: float) -> int:
    return int((timezone.now() - timedelta(minutes=minutes)).timestamp())


@pytest.mark.parametrize("path", ["/notes/", "/api/notes/"])
@pytest.mark.parametrize("header", [{}, {"HTTP_AUTHORIZATION": "Digest x"}])
def test_a_request_without_a_token_gets_a_challenge_without_an_error(
    path: str, header: dict[str, str], get: Get
) -> None:
    answer = get(None, path, **header)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f'Bearer scope="notes:read", {METADATA}, DPoP algs="PS256 ES256 EdDSA"'


@pytest.mark.parametrize("path", ["/notes/", "/api/notes/", "/async/"])
def test_a_wrong_token_gets_its_error(path: str, issuer: FakeIssuer, get: Get) -> None:
    answer = get("wrong", path)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == INVALID
    assert answer.json() == {"error": "invalid_token", "error_description": "The access token is not valid."}


@pytest.mark.parametrize("path", ["/notes/", "/api/notes/", "/async/"])
def test_a_token_without_the_scope_is_answered_with_its_name(path: str, issuer: FakeIssuer, get: Get) -> None:
    answer = get(issuer.token(RESOURCE, scope="notes:reader"), path)

    assert answer.status_code == 403
    assert answer.headers["WWW-Authenticate"] == f'Bearer error="insufficient_scope", scope="notes:read", {METADATA}'
    assert answer.json()["error"] == "insufficient_scope"


WEAK: dict[str, dict[str, Any]] = {
    "a weaker acr": {"acr": "aal1", "auth_time": 0},
    "no acr": {"auth_time": 0},
    "an unknown acr": {"acr": "urn:example:gold", "auth_time": 0},
    "an acr of another type": {"acr": ["aal2"], "auth_time": 0},
    "too long ago": {"acr": "aal2", "auth_time": -360},
    "in the future": {"acr": "aal2", "auth_time": 60},
    "no time": {"acr": "aal2", "auth_time": None},
    "a time of another type": {"acr": "aal2", "auth_time": "now"},
}


@pytest.mark.asvs("10.3.4")
@pytest.mark.parametrize("path", ["/fresh/", "/api/admin/"])
@pytest.mark.parametrize("case", WEAK)
def test_a_weak_or_old_authentication_is_asked_for_a_better_one(
    case: str, path: str, issuer: FakeIssuer, get: Get
) -> None:
    claims = dict(WEAK[case])
    if isinstance(claims["auth_time"], int):
        claims["auth_time"] += minutes_ago(0)

    answer = get(issuer.token(RESOURCE, **claims), path)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer error="insufficient_user_authentication",'
        ' error_description="A stronger or more recent authentication is required.",'
        f' acr_values="aal2", max_age=300, {METADATA}'
    )


@pytest.mark.parametrize("path", ["/fresh/", "/api/admin/"])
@pytest.mark.parametrize("acr", ["aal2", "aal3"])
def test_a_strong_and_recent_authentication_passes(acr: str, path: str, issuer: FakeIssuer, get: Get) -> None:
    assert get(issuer.token(RESOURCE, acr=acr, auth_time=minutes_ago(4)), path).status_code == 200


def test_an_acr_that_is_not_listed_satisfies_itself(issuer: FakeIssuer, settings: Any, get: Get) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "ACR_VALUES": ["aal1"]}

    assert get(issuer.token(RESOURCE, acr="aal2", auth_time=minutes_ago(0)), "/fresh/").status_code == 200
    assert get(issuer.token(RESOURCE, acr="aal3", auth_time=minutes_ago(0)), "/fresh/").status_code == 401


@pytest.mark.parametrize("path", ["/notes/", "/api/notes/"])
def test_a_token_in_the_url_or_in_a_form_is_not_read(path: str, issuer: FakeIssuer) -> None:
    token = issuer.token(RESOURCE, scope="notes:read notes:write")

    assert Browser().get(path, {"access_token": token}).status_code == 401
    assert Browser().post(path, {"access_token": token}).status_code == 401


def test_the_host_of_the_request_decides_nothing_in_the_challenge(get: Get, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]

    assert METADATA in get(None, HTTP_HOST="evil.example").headers["WWW-Authenticate"]


def test_a_post_with_a_token_needs_no_csrf_token_and_a_cookie_opens_nothing(issuer: FakeIssuer) -> None:
    strict = Browser(enforce_csrf_checks=True)
    strict.cookies["sessionid"] = "x"

    assert strict.post("/notes/", HTTP_AUTHORIZATION=f"Bearer {issuer.token(RESOURCE)}").status_code == 200
    assert strict.post("/notes/").status_code == 401


def test_an_answer_to_a_refused_request_is_not_stored(get: Get) -> None:
    assert get(None).headers["Cache-Control"] == "no-store"


def test_scopes_are_a_list() -> None:
    with pytest.raises(TypeError, match="scopes is a list"):
        require_token(scopes="notes:read")


def test_no_view_needs_offline_access() -> None:
    for needing in (
        lambda: require_token(scopes=["notes:read", "offline_access"]),
        lambda: RequireScopes("offline_access"),
        lambda: RequireScopes(get="notes:read offline_access"),
    ):
        with pytest.raises(ValueError, match="No view needs it"):
            needing()
