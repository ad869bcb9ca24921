"""Userinfo and access tokens at the API, over HTTP."""

from typing import Any

import pytest

from auth_core.models import EmailAddress
from auth_core.oauth.models import ApplicationPolicy, Resource
from auth_core.oauth.testing.factories import (
    Registered,
    make_application,
    make_tokens,
    post_form,
    userinfo,
)
from auth_core.people.locking import disable_account
from auth_core.people.lookup import identity_of
from auth_core.testing.doors import address_of, routes
from auth_core.testing.factories import make_user
from auth_core.testing.sessions import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(web: Registered, alice: Any) -> str:
    return str(make_tokens(web, alice)["access_token"])


@pytest.fixture
def orders(alice: Any, settings: Any) -> str:
    """A token with the scope that a route of the test site declares."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SCOPES": {"orders:read": "See your orders"}}
    application = make_application(scopes="orders:read")
    return str(make_tokens(application, alice, scopes=["openid", "orders:read"])["access_token"])


def bearer(text: str) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {text}"}


def test_the_token_is_accepted_in_the_header_and_in_the_body(token: str, alice: Any, client: Any) -> None:
    answers = [
        client.get("/oauth/userinfo", **bearer(token)),
        client.post("/oauth/userinfo", **bearer(token)),
        post_form("/oauth/userinfo", {"access_token": token}),
    ]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["sub"] == str(identity_of(alice).subject_id)
    assert answers[0].headers["Cache-Control"] == "no-store"


def test_each_scope_opens_its_claims(web: Registered, alice: Any) -> None:
    by_scope = {
        scope: set(userinfo(make_tokens(web, alice, scopes=["openid", scope])["access_token"]).json())
        for scope in ("openid", "profile", "email", "address", "phone")
    }

    assert by_scope == {
        "openid": {"sub"},
        "profile": {"sub", "name", "locale"},
        "email": {"sub", "email", "email_verified"},
        "address": {"sub"},
        "phone": {"sub"},
    }


def test_a_claim_may_be_asked_for_by_name(web: Registered, alice: Any) -> None:
    claims = {"userinfo": {"name": {"essential": True}, "unknown": None}, "id_token": {"email": None}}

    token = make_tokens(web, alice, scopes=["openid"], claims=claims)["access_token"]

    assert userinfo(token).json() == {"sub": str(identity_of(alice).subject_id), "name": "Alice"}


def test_the_site_adds_a_claim(token: str, web: Registered, alice: Any, settings: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "CLAIMS": {"phone_number": "test_userinfo.phone_number"}}

    assert "phone_number" not in userinfo(token).json()
    with_scope = make_tokens(web, alice, scopes=["openid", "phone"])["access_token"]
    assert userinfo(with_scope).json()["phone_number"] == "+43 1 000"


def phone_number(user: Any) -> str:
    return "+43 1 000"


def test_two_tokens_and_none_are_refused(token: str, client: Any) -> None:
    both = post_form("/oauth/userinfo", {"access_token": token}, **bearer(token))
    none = client.get("/oauth/userinfo")

    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")
    assert (none.status_code, none.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_token_without_openid_is_not_enough(web: Registered, alice: Any) -> None:
    answer = userinfo(make_tokens(web, alice, scopes=["profile"])["access_token"])

    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")


@pytest.mark.asvs("9.2.3")
@pytest.mark.asvs("10.3.1")
def test_a_token_for_another_resource_is_refused(web: Registered, alice: Any) -> None:
    Resource.objects.create(uri="https://api.example")
    token = make_tokens(web, alice, resources=["https://api.example"])["access_token"]

    answer = userinfo(token)

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


@pytest.mark.asvs("10.3.3")
def test_a_token_is_of_the_person_who_gave_it_whatever_their_address_is(orders: str, alice: Any, client: Any) -> None:
    """Another person gets the address of the first. What identifies a person is never given to another one."""
    subject = userinfo(orders).json()["sub"]
    alice.email = "alice.new@example.org"
    alice.save()
    EmailAddress.objects.filter(user=alice).delete()
    bob = make_user("alice@example.org")

    assert userinfo(orders).json()["sub"] == subject == str(identity_of(alice).subject_id)
    assert subject != str(identity_of(bob).subject_id)
    assert client.get("/api/v1/orders/", **bearer(orders)).json() == {"user": str(alice.pk)}


def test_a_token_opens_a_route_that_declares_its_scope(orders: str, alice: Any, client: Any) -> None:
    answer = client.get("/api/v1/orders/", **bearer(orders))

    assert (answer.status_code, answer.json()) == (200, {"user": str(alice.pk)})


@pytest.mark.asvs("10.3.2")
def test_a_token_opens_no_other_method_and_no_other_scope(orders: str, token: str, client: Any) -> None:
    post = client.post("/api/v1/orders/", **bearer(orders))
    other = client.get("/api/v1/orders/", **bearer(token))

    assert (post.status_code, post.json()["code"]) == (403, "insufficient_scope")
    assert (other.status_code, other.json()["code"]) == (403, "insufficient_scope")
    assert 'scope="orders:read"' in other.headers["WWW-Authenticate"]


@pytest.mark.asvs("8.2.1")
def test_no_route_of_the_package_is_open_to_a_token(orders: str, client: Any) -> None:
    paths = [address_of(route) for route in routes() if route.startswith("api/v1/") and "orders" not in route]

    for path in paths:
        for method in ("get", "post", "patch", "delete"):
            answer = getattr(client, method)(path, **bearer(orders))
            assert answer.status_code in (403, 405), f"{method} {path}: {answer.status_code}"


def test_a_wrong_token_is_refused_and_the_cookie_not_tried(alice: Any) -> None:
    answer = sign_in(alice).get("/api/v1/orders/", **bearer("x"))

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_beside_a_session_cookie_is_refused(orders: str, alice: Any) -> None:
    assert sign_in(alice).get("/api/v1/orders/", **bearer(orders)).json()["code"] == "ambiguous_credentials"


def test_a_disabled_person_is_refused_at_the_next_request(orders: str, alice: Any, client: Any) -> None:
    disable_account(user=alice)

    assert client.get("/api/v1/orders/", **bearer(orders)).status_code == 401
    assert userinfo(orders).status_code == 401


def test_a_disabled_application_is_refused_at_the_next_request(orders: str, client: Any) -> None:
    ApplicationPolicy.objects.update(is_active=False)

    assert client.get("/api/v1/orders/", **bearer(orders)).status_code == 401


def test_the_decorators_of_the_toolkit_accept_our_tokens(token: str, orders: str, alice: Any, client: Any) -> None:
    for address in ("/toolkit/", "/toolkit-api/"):
        good, bad = client.get(address, **bearer(token)), client.get(address, **bearer(orders))
        assert (good.status_code, good.json()) == (200, {"user": str(alice.pk)})
        assert bad.status_code in (401, 403)
    disable_account(user=alice)
    for address in ("/toolkit/", "/toolkit-api/"):
        assert client.get(address, **bearer(token)).status_code in (401, 403)
