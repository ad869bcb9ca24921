"""Whoever is half in: where they are led, how they prove it, and how a half ends."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.test.utils import override_script_prefix

from auth_core.testing.clock import Clock
from auth_mfa.site_login import partial_login
from conftest import enrolled
from partial_login_site import LOGIN, PROVE, give_password, prove, who

pytestmark = pytest.mark.usefixtures("partial_login_site")


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
    assert client.session.get(partial_login.PARTIAL_LOGIN_KEY) is None


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
