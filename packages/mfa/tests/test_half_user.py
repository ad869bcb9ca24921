"""A site whose login is not ours: from the password to the second factor nobody is there."""

import asyncio
from datetime import timedelta
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as site
from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.core.checks import run_checks
from django.http import HttpResponse
from django.test import AsyncClient, RequestFactory
from django.test import Client as Browser
from django.test.utils import override_script_prefix
from django.utils import timezone

from auth_core.testing.clock import Clock
from auth_core.testing.sessions import sign_in
from auth_mfa import half_user, middleware
from auth_mfa.factors import remove_factor, rows_of
from auth_mfa.middleware import SecondFactorMiddleware
from conftest import PASSWORD, current_code, enrolled

OURS = "auth_mfa.middleware.SecondFactorMiddleware"
DJANGOS = "django.contrib.auth.middleware.AuthenticationMiddleware"
LOGIN = "/accounts/login/"
PROVE = "/account/second-factors/prove/"


@pytest.fixture(autouse=True)
def half_site(settings: Any, db: None) -> None:
    """A site with Django's own login and admin, and our middleware behind Django's."""
    settings.ROOT_URLCONF = "half_urls"
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
    settings.INSTALLED_APPS = [*site.INSTALLED_APPS, "django.contrib.messages", "django.contrib.staticfiles"]
    if "django.contrib.admin" not in settings.INSTALLED_APPS:
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.contrib.admin"]
    settings.MIDDLEWARE = [*site.MIDDLEWARE, OURS, "django.contrib.messages.middleware.MessageMiddleware"]
    settings.STATIC_URL = "/static/"
    settings.LOGIN_REDIRECT_URL = "/undecorated/"
    processors = ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"]
    processors += ["django.contrib.messages.context_processors.messages"]
    loaders = [
        ("django.template.loaders.locmem.Loader", {"login.html": "{{ form }}"}),
        "django.template.loaders.app_directories.Loader",
    ]
    engine = "django.template.backends.django.DjangoTemplates"
    settings.TEMPLATES = [{"BACKEND": engine, "OPTIONS": {"context_processors": processors, "loaders": loaders}}]


@pytest.fixture
def secured(alice: User) -> User:
    """Alice, who has an authenticator app."""
    enrolled(alice)
    return alice


@pytest.fixture
def bob(db: None) -> User:
    """Somebody with a password alone."""
    return User.objects.create_user("bob", "bob@example.org", PASSWORD)


def give_password(browser: Browser, name: str = "alice", *, page: str = LOGIN, onward: str = "") -> Any:
    query = {"next": onward} if onward else {}
    return browser.post(f"{page}", {"username": name, "password": PASSWORD, **query})


def prove(browser: Browser, address: str = PROVE, *, steps: int = 0) -> Any:
    """Press the button, and give the code; return the last answer."""
    begun = browser.post(address)
    assert (begun.status_code, begun["Location"]) == (303, "/auth/login/answer/")
    return browser.post(begun["Location"], {"code": current_code(steps=steps)})


def who(browser: Browser, address: str = "/undecorated/") -> Any:
    return browser.get(address).json()["user"]


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

    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "half_urls.asynchronous_sign_in"]
    enrolled(alice)

    assert async_to_sync(ask)() == {"user": "", "half": "alice"}


def test_whoever_was_looked_at_too_early_is_nobody_in_an_async_view(secured: User, settings: Any) -> None:
    async def ask() -> Any:
        browser = AsyncClient()
        await browser.aforce_login(secured)
        return (await browser.get("/async/")).json()

    place = settings.MIDDLEWARE.index(OURS)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:place], "half_urls.onlooker", *settings.MIDDLEWARE[place:]]

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
    assert request.half_user is None


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


# The half itself


def test_opening_the_page_begins_nothing(client: Browser, secured: User) -> None:
    give_password(client)

    shown = client.get(PROVE)

    assert shown.status_code == 200
    assert b"alice" in shown.content
    assert client.get("/auth/login/answer/").status_code == 303, "no login waits"


def test_a_wrong_code_opens_nothing(client: Browser, secured: User) -> None:
    give_password(client)
    begun = client.post(PROVE)

    refused = client.post(begun["Location"], {"code": "000000"})

    assert refused.status_code == 401
    assert who(client) == ""


def test_a_new_password_ends_a_half(client: Browser, secured: User) -> None:
    give_password(client)
    secured.set_password("another correct horse")
    secured.save()

    seen = client.get("/undecorated/").json()

    assert seen == {"user": "", "half": None}
    assert client.post(PROVE)["Location"].startswith(LOGIN)


def test_a_half_that_is_over_leaves_nothing_of_its_person(client: Browser, secured: User) -> None:
    give_password(client)
    client.post("/cart/", {"cart": "alice's"})
    User.objects.filter(pk=secured.pk).update(password="!")

    assert client.get("/cart/").json() == {"cart": None}


def test_somebody_disabled_is_half_in_no_more(client: Browser, secured: User) -> None:
    give_password(client)
    User.objects.filter(pk=secured.pk).update(is_active=False)

    assert client.get("/undecorated/").json() == {"user": "", "half": None}


def test_a_half_ends_with_the_backend_that_named_it(client: Browser, secured: User, settings: Any) -> None:
    give_password(client)
    settings.AUTHENTICATION_BACKENDS = ["auth_core.backends.IdentifierBackend"]

    assert client.get("/undecorated/").json() == {"user": "", "half": None}


def test_a_half_survives_a_new_secret_key_as_a_session_does(client: Browser, secured: User, settings: Any) -> None:
    give_password(client)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + "k" * 50

    assert client.get("/undecorated/").json() == {"user": "", "half": "alice"}


def test_a_half_lasts_as_long_as_a_pending_login(client: Browser, secured: User, clock: Clock) -> None:
    give_password(client)
    clock.forward(minutes=9, seconds=59)
    before = client.get("/undecorated/").json()["half"]
    clock.forward(seconds=1)

    assert before == "alice"
    assert client.get("/undecorated/").json()["half"] is None
    assert client.post(PROVE)["Location"].startswith(LOGIN)


def test_a_half_signs_out(client: Browser, secured: User) -> None:
    give_password(client)

    client.post("/accounts/logout/")

    assert client.get("/undecorated/").json() == {"user": "", "half": None}


def test_whoever_is_at_the_wrong_account_lets_it_go(client: Browser, secured: User) -> None:
    give_password(client)

    left = client.post(PROVE, {"leave": "1"})

    assert (left.status_code, left["Location"]) == (303, LOGIN)
    assert client.get("/undecorated/").json() == {"user": "", "half": None}


def test_another_person_logs_in_over_a_half_and_finds_nothing_of_it(client: Browser, secured: User, bob: User) -> None:
    give_password(client)
    client.post("/cart/", {"cart": "alice's"})

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "bob", "half": None}
    assert client.get("/cart/").json() == {"cart": None}
    assert client.session.get(half_user.HALF_KEY) is None


def test_another_half_takes_the_place_of_the_first(client: Browser, secured: User, bob: User) -> None:
    enrolled(bob)
    give_password(client)

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "", "half": "bob"}


def test_what_somebody_gathered_before_the_login_is_there_after_it(client: Browser, secured: User) -> None:
    client.post("/cart/", {"cart": "mine"})
    given = give_password(client)

    prove(client, given["Location"])

    assert client.get("/cart/").json() == {"cart": "mine"}


# Addresses


@pytest.mark.parametrize(
    "evil", ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)"]
)
def test_nobody_is_led_out_of_the_site(client: Browser, secured: User, evil: str) -> None:
    give_password(client)
    page = f"{PROVE}?next={evil}"

    by_page = prove(client, page)

    assert by_page["Location"] == "/undecorated/"


def test_a_login_that_leads_out_of_the_site_leads_to_our_page_alone(client: Browser, secured: User) -> None:
    given = client.get("/as/alice/", {"onward": "https://elsewhere.example/x"})

    assert (given.status_code, given["Location"]) == (303, PROVE)


def test_a_relative_redirect_is_understood(client: Browser, secured: User) -> None:
    given = client.get("/as/alice/", {"onward": "../../closed/?page=2"})

    assert given["Location"] == f"{PROVE}?next=%2Fclosed%2F%3Fpage%3D2"


def test_other_redirects_of_a_half_stay(client: Browser, secured: User) -> None:
    give_password(client)

    assert client.get("/auth/login/choose/")["Location"] == "/auth/login/answer/"


def test_whoever_is_in_already_is_sent_on_from_the_page(client: Browser, bob: User) -> None:
    give_password(client, "bob")

    assert client.get(f"{PROVE}?next=/closed/")["Location"] == "/closed/"


def test_a_site_that_has_no_pages_of_its_own_has_ours(client: Browser, bob: User, settings: Any) -> None:
    settings.LOGIN_URL, settings.LOGIN_REDIRECT_URL = "/nowhere/", "/nothing/"

    nobody = client.get(PROVE)["Location"]
    give_password(client, "bob")

    assert nobody == "/auth/login/?next=%2Fauth%2Faccount%2F"
    assert client.get(PROVE)["Location"] == "/auth/account/"


def test_a_site_below_a_path_has_its_own_pages(client: Browser, settings: Any) -> None:
    settings.LOGIN_URL = "login"
    settings.LOGIN_REDIRECT_URL = "undecorated"

    with override_script_prefix("/below/"):
        sent = client.get(PROVE, SCRIPT_NAME="/below")

    assert sent["Location"] == "/below/accounts/login/?next=%2Fbelow%2Fundecorated%2F"


def test_a_login_on_another_host_is_where_nobody_is_sent(client: Browser, settings: Any) -> None:
    settings.LOGIN_URL = "https://sso.example.org/login"

    assert client.get(f"{PROVE}?next=/closed/")["Location"] == "https://sso.example.org/login?next=%2Fclosed%2F"


def test_the_pages_work_where_every_view_needs_a_login(client: Browser, secured: User, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    give_password(client)

    led = client.get("/undecorated/")
    proved = prove(client, led["Location"])

    assert urlsplit(led["Location"]).path == PROVE
    assert proved["Location"] == "/undecorated/"
    assert client.get("/undecorated/").json()["user"] == secured.get_username()


# What the session says afterwards


def test_the_session_has_another_key_after_the_proof(client: Browser, secured: User) -> None:
    given = give_password(client)
    half = client.cookies["sessionid"].value

    prove(client, given["Location"])
    whole = client.cookies["sessionid"].value
    thief = Browser()
    thief.cookies["sessionid"] = half

    assert whole != half
    assert thief.get("/undecorated/").json() == {"user": "", "half": None}


def test_a_whole_session_says_what_was_proved(client: Browser, secured: User) -> None:
    given = give_password(client)
    prove(client, given["Location"])

    evidence = client.get("/facts/").json()["facts"]["evidence"]

    assert [piece["method"] for piece in evidence] == ["password", "totp"]


def test_a_login_without_a_factor_is_a_fresh_proof_of_a_password(client: Browser, bob: User, clock: Clock) -> None:
    give_password(client, "bob")

    evidence = client.get("/facts/").json()["facts"]["evidence"]

    assert evidence == [{"method": "password", "at": timezone.now().isoformat()}]


def test_an_old_session_is_not_freshened_by_a_later_login_elsewhere(bob: User) -> None:
    """A thief's session from before the installation must not borrow the moment of its victim's login."""
    thief, victim = Browser(), Browser()
    thief.force_login(bob)
    give_password(victim, "bob")

    stolen = thief.get("/facts/").json()["facts"]["evidence"][0]["at"]
    own = victim.get("/facts/").json()["facts"]["evidence"][0]["at"]

    assert stolen < "1950"
    assert own > "2020"


def test_an_old_session_gives_the_password_again_before_a_factor_is_added(client: Browser, bob: User) -> None:
    """A stolen session from before the installation must not enrol the thief's own app."""
    client.force_login(bob)

    led = client.get("/account/second-factors/add/")
    asked = client.post(led["Location"])
    back = client.post(asked["Location"], {"password": PASSWORD})

    assert urlsplit(led["Location"]).path == "/auth/login/again/"
    assert back["Location"] == "/account/second-factors/add/"
    assert client.get(back["Location"]).status_code == 200


def test_a_login_by_somebody_elses_word_is_evidence_of_a_provider(client: Browser, bob: User, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.RemoteUserMiddleware"]
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]

    evidence = client.get("/facts/", REMOTE_USER="bob").json()["facts"]["evidence"]

    assert [piece["method"] for piece in evidence] == ["provider"]


def test_a_judged_session_costs_no_further_question(client: Browser, bob: User, django_assert_num_queries: Any) -> None:
    give_password(client, "bob")
    client.get("/undecorated/")

    with django_assert_num_queries(2):  # the session and the user, as without us
        client.get("/undecorated/")


# Facts are one person's


def whole_session_of(browser: Browser) -> None:
    prove(browser, give_password(browser)["Location"])
    assert who(browser) == "alice"


def test_facts_that_a_careless_sign_out_left_behind_let_nobody_else_in(
    client: Browser, secured: User, bob: User
) -> None:
    enrolled(bob)
    whole_session_of(client)
    client.get("/forget/")

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "", "half": "bob"}


def test_facts_that_were_left_behind_before_the_installation_let_nobody_else_in(
    client: Browser, secured: User, bob: User, settings: Any
) -> None:
    enrolled(bob)
    with_ours = settings.MIDDLEWARE
    settings.MIDDLEWARE = [name for name in with_ours if name != OURS]
    before = sign_in(secured, assurance="aal2")
    before.get("/forget/")
    settings.MIDDLEWARE = with_ours
    client.cookies.update(before.cookies)

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "", "half": "bob"}


def test_facts_do_not_follow_a_name_that_is_written_over(client: Browser, secured: User, bob: User) -> None:
    enrolled(bob)
    whole_session_of(client)

    client.get("/name/bob/")

    assert client.get("/undecorated/").json() == {"user": "", "half": "bob"}


def test_without_the_binding_somebody_else_gets_in_with_alices_factor(
    client: Browser, secured: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The defect that the two tests above look for, planted."""
    monkeypatch.setattr(half_user, "_owner", lambda session: ["anybody", half_user._facts_id(session)])
    enrolled(bob)
    whole_session_of(client)

    client.get("/name/bob/")

    assert who(client) == "bob"


def test_whoever_logs_in_again_in_their_own_session_stays_in(client: Browser, secured: User) -> None:
    whole_session_of(client)

    client.get("/as/alice/")

    assert who(client) == "alice"


def test_somebody_else_who_logs_in_over_a_whole_session_is_judged(client: Browser, secured: User, bob: User) -> None:
    enrolled(bob)
    whole_session_of(client)

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "", "half": "bob"}


def test_a_store_that_has_facts_of_its_own_is_asked_for_them_and_left_alone(bob: User) -> None:
    class Store(SessionStore):  # as `auth_sessions` has one, whose rows belong to one person each
        facts: Any = None

    store = Store()
    login_keys = {SESSION_KEY: str(bob.pk), BACKEND_SESSION_KEY: site.AUTHENTICATION_BACKENDS[0]}
    store.update(login_keys)

    was_unjudged = half_user.is_unjudged(store)
    is_half = half_user.judge(store, bob, proved_at=timezone.now())
    Store.facts = half_user.SessionFacts(
        id=UUID(int=1), transport="cookie", evidence=(), authenticated_at=timezone.now()
    )
    half_user.tidy(store)

    assert (was_unjudged, is_half, half_user.is_unjudged(store)) == (True, False, False)
    assert dict(store.items()) == login_keys


# Checks


def found(*ids: str) -> list[str]:
    return [message.id for message in run_checks() if message.id in ids]


def test_the_right_order_is_no_mistake() -> None:
    assert found("auth_mfa.E010", "auth_mfa.E011", "auth_mfa.W010") == []


@pytest.mark.parametrize("kept", [[OURS, DJANGOS], [OURS]])
def test_the_middleware_before_djangos_or_without_it_is_refused(settings: Any, kept: list[str]) -> None:
    settings.MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", *kept]

    assert found("auth_mfa.E010") == ["auth_mfa.E010"]


def test_the_middleware_without_its_pages_is_refused(settings: Any) -> None:
    settings.ROOT_URLCONF = "urls"

    assert found("auth_mfa.E011") == ["auth_mfa.E011"] * 2


def test_djangos_own_logins_without_the_middleware_are_warned_of(settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != OURS]

    assert found("auth_mfa.W010") == ["auth_mfa.W010"] * 2


def test_a_site_whose_login_is_ours_is_not_warned(settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != OURS]
    settings.ROOT_URLCONF = "urls"

    assert found("auth_mfa.W010") == []
