"""A site whose login is not ours: from the password to the second factor nobody is there."""

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

from auth_mfa.factors import remove_factor, rows_of
from auth_mfa.site_login import middleware
from auth_mfa.site_login.middleware import SecondFactorMiddleware
from conftest import PASSWORD, current_code, enrolled
from partial_login_site import LOGIN, OURS, PROVE, give_password, prove, who

pytestmark = pytest.mark.usefixtures("partial_login_site")


# What is closed, and what opens it


def test_an_undecorated_view_sees_nobody_until_the_second_factor_is_proved(client: Browser, secured: User) -> None:
    given = give_password(client)
    between = client.get("/undecorated/").json()
    proved = prove(client, given["Location"])
    afterwards = client.get("/undecorated/").json()

    assert (given.status_code, urlsplit(given["Location"]).path) == (303, PROVE)
    assert between == {"user": "", "half": "alice"}
    assert (proved.status_code, proved["Location"]) == (303, "/undecorated/")
    assert afterwards == {"user": "alice", "half": None}


def test_without_the_middleware_the_same_view_is_open(client: Browser, secured: User, settings: Any) -> None:
    """The defect that the other tests look for, planted."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != OURS]

    give_password(client)

    assert who(client) == "alice"


@pytest.mark.parametrize("address", ["/undecorated/", "/async/", "/past/", "/drf/"])
def test_no_way_of_reading_the_session_finds_the_person(client: Browser, secured: User, address: str) -> None:
    given = give_password(client)
    between = who(client, address)
    prove(client, given["Location"])

    assert between == ""
    assert who(client, address) == "alice"


def test_the_session_itself_names_nobody(client: Browser, secured: User) -> None:
    give_password(client)

    assert client.get("/past/").json() == {"user": "", "named": False}
    assert not {"_auth_user_id", "_auth_user_backend", "_auth_user_hash"} & set(client.session.keys())


def test_whoever_has_no_second_factor_notices_nothing(client: Browser, bob: User) -> None:
    given = give_password(client, "bob", onward="/closed/")

    assert (given.status_code, given["Location"]) == (302, "/closed/")
    assert client.get("/undecorated/").json() == {"user": "bob", "half": None}


def test_a_page_for_people_leads_to_the_second_factor_and_then_to_itself(client: Browser, secured: User) -> None:
    give_password(client)

    led = client.get("/closed/?a=b")
    proved = prove(client, led["Location"])

    assert led.status_code == 303
    assert urlsplit(led["Location"]).path == PROVE
    assert proved["Location"] == "/closed/?a=b"
    assert client.get(proved["Location"]).content == b"secret of alice"


def test_the_login_goes_on_to_where_it_was_headed(client: Browser, secured: User) -> None:
    given = give_password(client, onward="/closed/")

    assert prove(client, given["Location"])["Location"] == "/closed/"


def test_a_login_that_answers_no_redirect_is_kept_out_all_the_same(client: Browser, secured: User) -> None:
    answered = client.get("/as/alice/")

    assert answered.json() == {"user": "alice"}
    assert client.get("/undecorated/").json() == {"user": "", "half": "alice"}


def test_the_admin_is_closed_to_whoever_is_half_in(client: Browser, secured: User) -> None:
    User.objects.filter(pk=secured.pk).update(is_staff=True, is_superuser=True)

    given = give_password(client, page="/admin/login/", onward="/admin/auth/user/")
    between = client.get("/admin/auth/user/")
    prove(client, between["Location"])

    assert parse_qs(urlsplit(given["Location"]).query) == {"next": ["/admin/auth/user/"]}
    assert (between.status_code, urlsplit(between["Location"]).path) == (303, PROVE)
    assert client.get("/admin/auth/user/").status_code == 200


def test_a_login_page_that_sends_people_on_does_not_send_on_a_half(client: Browser, secured: User) -> None:
    give_password(client, page="/accounts/login/sent-on/")

    assert client.get("/accounts/login/sent-on/").status_code == 200


def test_a_session_that_was_made_without_a_request_is_judged_at_the_first_one(client: Browser, secured: User) -> None:
    client.force_login(secured)

    assert client.get("/undecorated/").json() == {"user": "", "half": "alice"}


def test_a_session_from_before_the_installation_is_judged(client: Browser, secured: User, settings: Any) -> None:
    with_ours = settings.MIDDLEWARE
    settings.MIDDLEWARE = [name for name in with_ours if name != OURS]
    before = Browser()
    give_password(before)
    assert who(before) == "alice"
    settings.MIDDLEWARE = with_ours
    client.cookies.update(before.cookies)

    assert client.get("/closed/").status_code == 303
    assert who(client) == ""


def test_whom_another_middleware_signs_in_is_judged_before_the_view(
    client: Browser, secured: User, settings: Any
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.RemoteUserMiddleware"]
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]

    seen = client.get("/undecorated/", REMOTE_USER="alice").json()

    assert seen == {"user": "", "half": "alice"}


@pytest.mark.parametrize("engine", ["db", "cache", "cached_db", "signed_cookies"])
def test_every_session_engine_keeps_the_half_and_the_whole(
    client: Browser, secured: User, settings: Any, engine: str
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"

    given = give_password(client)
    between = client.get("/past/").json()
    prove(client, given["Location"])

    assert between == {"user": "", "named": False}
    assert who(client) == "alice"


# Sync and async


def test_the_middleware_serves_async_sites(alice: User) -> None:
    async def journey() -> list[Any]:
        browser = AsyncClient()
        given = await browser.post(LOGIN, {"username": "alice", "password": PASSWORD})
        seen = [(await browser.get(address)).json()["user"] for address in ("/async/", "/undecorated/", "/past/")]
        begun = await browser.post(given["Location"])
        await browser.post(begun["Location"], {"code": current_code()})
        return [urlsplit(given["Location"]).path, *seen, (await browser.get("/async/")).json()["user"]]

    enrolled(alice)

    assert async_to_sync(journey)() == [PROVE, "", "", "", "alice"]


def test_whom_another_middleware_signs_in_is_judged_before_an_async_view(alice: User, settings: Any) -> None:
    async def ask() -> Any:
        return (await AsyncClient().get("/async/", headers={"X-Name": "alice"})).json()

    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "partial_login_urls.asynchronous_sign_in"]
    enrolled(alice)

    assert async_to_sync(ask)() == {"user": "", "half": "alice"}


def test_whoever_was_looked_at_too_early_is_nobody_in_an_async_view(secured: User, settings: Any) -> None:
    async def ask() -> Any:
        browser = AsyncClient()
        await browser.aforce_login(secured)
        return (await browser.get("/async/")).json()

    place = settings.MIDDLEWARE.index(OURS)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:place], "partial_login_urls.onlooker", *settings.MIDDLEWARE[place:]]

    assert async_to_sync(ask)() == {"user": "", "half": "alice"}


def test_an_async_request_of_nobody_asks_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_whoever_must_have_a_factor_and_has_none_is_half_in(client: Browser, bob: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}

    given = give_password(client, "bob")

    assert urlsplit(given["Location"]).path == PROVE
    assert client.get("/undecorated/").json() == {"user": "", "half": "bob"}


def test_whoever_lost_the_factor_they_must_have_is_told_so_and_stays_out(
    client: Browser, secured: User, settings: Any
) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}
    remove_factor(factor=rows_of(secured)[0])
    give_password(client)

    told = client.post(PROVE)

    assert told.status_code == 403
    assert client.get("/undecorated/").json() == {"user": "", "half": "alice"}


def test_a_grace_period_lets_in(client: Browser, bob: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "GRACE_PERIOD": timedelta(days=7)}

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "bob", "half": None}
