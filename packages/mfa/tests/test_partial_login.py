"""A site with its own login is anonymous between the password and the second factor."""

import asyncio
from datetime import timedelta
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as site
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import AsyncClient, RequestFactory
from django.test import Client as Browser

from auth_core.testing.factories import PASSWORD
from auth_mfa.factors import remove_factor, rows_of
from auth_mfa.site_login import middleware
from auth_mfa.site_login.middleware import SecondFactorMiddleware
from auth_mfa.testing.factors import add_totp, current_code
from partial_login_site import LOGIN, OURS, PROVE, give_password, prove, who

pytestmark = pytest.mark.usefixtures("partial_login_site")


# Access


def test_an_undecorated_view_is_anonymous_until_the_second_factor_is_proved(client: Browser, secured: User) -> None:
    response = give_password(client)
    between = client.get("/undecorated/").json()
    proved = prove(client, response["Location"])
    afterwards = client.get("/undecorated/").json()

    assert (response.status_code, urlsplit(response["Location"]).path) == (303, PROVE)
    assert between == {"user": "", "partial": "alice"}
    assert (proved.status_code, proved["Location"]) == (303, "/undecorated/")
    assert afterwards == {"user": "alice", "partial": None}


def test_without_the_middleware_the_same_view_is_open(client: Browser, secured: User, settings: Any) -> None:
    """The planted defect that the other tests detect."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != OURS]

    give_password(client)

    assert who(client) == "alice"


@pytest.mark.parametrize("address", ["/undecorated/", "/async/", "/past/", "/drf/"])
def test_no_way_of_reading_the_session_finds_the_user(client: Browser, secured: User, address: str) -> None:
    response = give_password(client)
    between = who(client, address)
    prove(client, response["Location"])

    assert between == ""
    assert who(client, address) == "alice"


def test_the_session_itself_is_anonymous(client: Browser, secured: User) -> None:
    give_password(client)

    assert client.get("/past/").json() == {"user": "", "named": False}
    assert not {"_auth_user_id", "_auth_user_backend", "_auth_user_hash"} & set(client.session.keys())


def test_users_without_a_second_factor_notice_nothing(client: Browser, bob: User) -> None:
    response = give_password(client, "bob", onward="/closed/")

    assert (response.status_code, response["Location"]) == (302, "/closed/")
    assert client.get("/undecorated/").json() == {"user": "bob", "partial": None}


def test_a_protected_page_redirects_to_the_second_factor_and_back(client: Browser, secured: User) -> None:
    give_password(client)

    redirected = client.get("/closed/?a=b")
    proved = prove(client, redirected["Location"])

    assert redirected.status_code == 303
    assert urlsplit(redirected["Location"]).path == PROVE
    assert proved["Location"] == "/closed/?a=b"
    assert client.get(proved["Location"]).content == b"secret of alice"


def test_the_login_continues_to_its_destination(client: Browser, secured: User) -> None:
    response = give_password(client, onward="/closed/")

    assert prove(client, response["Location"])["Location"] == "/closed/"


def test_a_login_without_a_redirect_is_partial_too(client: Browser, secured: User) -> None:
    answered = client.get("/as/alice/")

    assert answered.json() == {"user": "alice"}
    assert client.get("/undecorated/").json() == {"user": "", "partial": "alice"}


def test_the_admin_is_closed_to_partial_logins(client: Browser, secured: User) -> None:
    User.objects.filter(pk=secured.pk).update(is_staff=True, is_superuser=True)

    response = give_password(client, page="/admin/login/", onward="/admin/auth/user/")
    between = client.get("/admin/auth/user/")
    prove(client, between["Location"])

    assert parse_qs(urlsplit(response["Location"]).query) == {"next": ["/admin/auth/user/"]}
    assert (between.status_code, urlsplit(between["Location"]).path) == (303, PROVE)
    assert client.get("/admin/auth/user/").status_code == 200


def test_a_login_page_does_not_redirect_partial_logins(client: Browser, secured: User) -> None:
    give_password(client, page="/accounts/login/sent-on/")

    assert client.get("/accounts/login/sent-on/").status_code == 200


def test_a_session_made_without_a_request_is_checked_at_the_first_one(client: Browser, secured: User) -> None:
    client.force_login(secured)

    assert client.get("/undecorated/").json() == {"user": "", "partial": "alice"}


def test_a_session_from_before_the_installation_is_checked(client: Browser, secured: User, settings: Any) -> None:
    with_ours = settings.MIDDLEWARE
    settings.MIDDLEWARE = [name for name in with_ours if name != OURS]
    before = Browser()
    give_password(before)
    assert who(before) == "alice"
    settings.MIDDLEWARE = with_ours
    client.cookies.update(before.cookies)

    assert client.get("/closed/").status_code == 303
    assert who(client) == ""


def test_a_login_by_another_middleware_is_checked_before_the_view(
    client: Browser, secured: User, settings: Any
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.RemoteUserMiddleware"]
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]

    response_body = client.get("/undecorated/", REMOTE_USER="alice").json()

    assert response_body == {"user": "", "partial": "alice"}


@pytest.mark.parametrize("engine", ["db", "cache", "cached_db", "signed_cookies"])
def test_every_session_engine_stores_partial_and_full_logins(
    client: Browser, secured: User, settings: Any, engine: str
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"

    response = give_password(client)
    between = client.get("/past/").json()
    prove(client, response["Location"])

    assert between == {"user": "", "named": False}
    assert who(client) == "alice"


# Sync and async


def test_the_middleware_serves_async_sites(alice: User) -> None:
    async def journey() -> list[Any]:
        browser = AsyncClient()
        response = await browser.post(LOGIN, {"username": "alice", "password": PASSWORD})
        users = [(await browser.get(address)).json()["user"] for address in ("/async/", "/undecorated/", "/past/")]
        begun = await browser.post(response["Location"])
        await browser.post(begun["Location"], {"code": current_code()})
        return [urlsplit(response["Location"]).path, *users, (await browser.get("/async/")).json()["user"]]

    add_totp(alice)

    assert async_to_sync(journey)() == [PROVE, "", "", "", "alice"]


def test_a_login_by_another_middleware_is_checked_before_an_async_view(alice: User, settings: Any) -> None:
    async def ask() -> Any:
        return (await AsyncClient().get("/async/", headers={"X-Name": "alice"})).json()

    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "partial_login_urls.asynchronous_sign_in"]
    add_totp(alice)

    assert async_to_sync(ask)() == {"user": "", "partial": "alice"}


def test_a_user_read_too_early_is_anonymous_in_an_async_view(secured: User, settings: Any) -> None:
    async def ask() -> Any:
        browser = AsyncClient()
        await browser.aforce_login(secured)
        return (await browser.get("/async/")).json()

    index = settings.MIDDLEWARE.index(OURS)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:index], "partial_login_urls.onlooker", *settings.MIDDLEWARE[index:]]

    assert async_to_sync(ask)() == {"user": "", "partial": "alice"}


def test_an_anonymous_async_request_uses_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(function: Any) -> Any:
        raise AssertionError(function)

    async def view(request: Any) -> HttpResponse:
        return HttpResponse()

    monkeypatch.setattr(middleware, "sync_to_async", refused)
    request: Any = RequestFactory().get("/")
    request.session = import_module(site.SESSION_ENGINE).SessionStore()
    handler: Any = SecondFactorMiddleware(view)

    asyncio.run(handler.process_view(request, view, (), {}))
    assert asyncio.run(handler(request)).status_code == 200
    assert request.partial_login_user is None


# Policy


def test_a_required_user_without_a_factor_gets_a_partial_login(client: Browser, bob: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}

    response = give_password(client, "bob")

    assert urlsplit(response["Location"]).path == PROVE
    assert client.get("/undecorated/").json() == {"user": "", "partial": "bob"}


def test_a_user_who_lost_a_required_factor_is_refused_with_a_message(
    client: Browser, secured: User, settings: Any
) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}
    remove_factor(factor=rows_of(secured)[0])
    give_password(client)

    refused = client.post(PROVE)

    assert refused.status_code == 403
    assert client.get("/undecorated/").json() == {"user": "", "partial": "alice"}


def test_a_grace_period_allows_the_login(client: Browser, bob: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "GRACE_PERIOD": timedelta(days=7)}

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "bob", "partial": None}
