"""Who ``request.user`` is."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.test import AsyncClient

from auth_core.oauth_resource.testing.issuer import INTROSPECTION, JWKS, FakeIssuer
from auth_core.oauth_resource.tokens.access_token import TokenPrincipal, VerifiedToken
from conftest import RESOURCE, Get, accept


@pytest.mark.django_db
def test_a_site_may_map_the_subject_to_a_user(issuer: FakeIssuer, settings: Any, get: Get) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "PERSON": "views.user_of_the_site"}
    alice = User.objects.create_user("alice")

    answer = get(issuer.token(RESOURCE))

    assert answer.json()["pk"] == str(alice.pk)


@pytest.mark.django_db
@pytest.mark.parametrize("is_active", [False, None])
def test_a_person_who_is_unknown_or_disabled_is_refused(
    is_active: bool | None, issuer: FakeIssuer, settings: Any, get: Get
) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "PERSON": "views.user_of_the_site"}
    if is_active is not None:
        User.objects.create_user("alice", is_active=is_active)

    answer = get(issuer.token(RESOURCE))

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.django_db
def test_an_application_is_no_person_who_has_its_id(issuer: FakeIssuer, settings: Any, get: Get) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "PERSON": "views.user_of_the_site"}
    User.objects.create_user("app")

    assert get(issuer.token(RESOURCE, sub="app")).json()["pk"] == f"{issuer.url}#app"


def principal(subject: str, issuer: str = "https://auth.example.org") -> TokenPrincipal:
    claims = {"sub": subject, "client_id": "app"}
    return TokenPrincipal(VerifiedToken(issuer=issuer, claims=claims, scopes=("notes:read",)))


def test_a_principal_has_no_permission_and_is_no_one_else() -> None:
    alice = principal("alice")

    assert (alice.is_authenticated, alice.is_anonymous, alice.is_staff, alice.is_superuser) == (
        True,
        False,
        False,
        False,
    )
    assert [alice.has_perm("x.y"), alice.has_perms(["x.y"]), alice.has_module_perms("x")] == [False] * 3
    assert alice == principal("alice")
    assert hash(alice) == hash(principal("alice"))
    assert alice != principal("alice", "https://other.example")
    assert alice != principal("bob")


def test_an_application_that_acts_for_itself_is_no_person() -> None:
    assert principal("app").token.is_of_application
    assert not principal("alice").token.is_of_application


@async_to_sync
async def async_get(token: str) -> Any:
    return await AsyncClient().get("/async/", headers={"Authorization": f"Bearer {token}"})


def test_a_view_that_is_a_coroutine_is_opened(issuer: FakeIssuer) -> None:
    assert async_get(issuer.token(RESOURCE)).json()["user"] == "alice"


def test_the_event_loop_waits_for_no_issuer(issuer: FakeIssuer, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    accept(settings, issuer, client_id="notes", client_secret="secret")
    token = issuer.token(RESOURCE)
    issuer.introspected[token] = {"active": True, **issuer.claims(RESOURCE)}
    first = async_get(token)
    before = list(issuer.requests)

    def not_in_a_thread(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("A thread is not needed for what the process remembers.")

    monkeypatch.setattr("auth_core.oauth_resource.access.admission.sync_to_async", not_in_a_thread)
    second = async_get(token)

    assert (first.status_code, second.status_code) == (200, 200)
    assert issuer.requests == before
    assert before.count(JWKS) == before.count(INTROSPECTION) == 1


@pytest.mark.django_db
def test_the_database_is_asked_in_a_thread(issuer: FakeIssuer, settings: Any) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "PERSON": "views.user_of_the_site"}
    alice = User.objects.create_user("alice")

    assert async_get(issuer.token(RESOURCE)).json()["pk"] == str(alice.pk)
