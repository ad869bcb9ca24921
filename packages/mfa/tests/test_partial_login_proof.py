"""The redirects, the proof and the end of a partial login."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.test.utils import override_script_prefix

from auth_core.testing.clock import Clock
from auth_mfa.site_login import partial_login
from auth_mfa.testing.factors import add_totp
from partial_login_site import LOGIN, PROVE, give_password, prove, who

pytestmark = pytest.mark.usefixtures("partial_login_site")


# The partial login


def test_opening_the_page_begins_nothing(client: Browser, secured: User) -> None:
    give_password(client)

    shown = client.get(PROVE)

    assert shown.status_code == 200
    assert b"alice" in shown.content
    assert client.get("/auth/login/answer/").status_code == 303, "no login waits"


def test_a_wrong_code_does_not_sign_in(client: Browser, secured: User) -> None:
    give_password(client)
    begun = client.post(PROVE)

    refused = client.post(begun["Location"], {"code": "000000"})

    assert refused.status_code == 401
    assert who(client) == ""


def test_a_new_password_ends_a_partial_login(client: Browser, secured: User) -> None:
    give_password(client)
    secured.set_password("another correct horse")
    secured.save()

    body = client.get("/undecorated/").json()

    assert body == {"user": "", "partial": None}
    assert client.post(PROVE)["Location"].startswith(LOGIN)


def test_an_ended_partial_login_leaves_no_data(client: Browser, secured: User) -> None:
    give_password(client)
    client.post("/cart/", {"cart": "alice's"})
    User.objects.filter(pk=secured.pk).update(password="!")

    assert client.get("/cart/").json() == {"cart": None}


def test_disabling_a_user_ends_a_partial_login(client: Browser, secured: User) -> None:
    give_password(client)
    User.objects.filter(pk=secured.pk).update(is_active=False)

    assert client.get("/undecorated/").json() == {"user": "", "partial": None}


def test_a_partial_login_ends_with_its_backend(client: Browser, secured: User, settings: Any) -> None:
    give_password(client)
    settings.AUTHENTICATION_BACKENDS = ["auth_core.backends.IdentifierBackend"]

    assert client.get("/undecorated/").json() == {"user": "", "partial": None}


def test_a_partial_login_survives_a_new_secret_key(client: Browser, secured: User, settings: Any) -> None:
    give_password(client)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + "k" * 50

    assert client.get("/undecorated/").json() == {"user": "", "partial": "alice"}


def test_a_partial_login_lasts_as_long_as_a_pending_login(client: Browser, secured: User, clock: Clock) -> None:
    give_password(client)
    clock.forward(minutes=9, seconds=59)
    before = client.get("/undecorated/").json()["partial"]
    clock.forward(seconds=1)

    assert before == "alice"
    assert client.get("/undecorated/").json()["partial"] is None
    assert client.post(PROVE)["Location"].startswith(LOGIN)


def test_a_partial_login_can_sign_out(client: Browser, secured: User) -> None:
    give_password(client)

    client.post("/accounts/logout/")

    assert client.get("/undecorated/").json() == {"user": "", "partial": None}


def test_a_user_can_leave_the_wrong_account(client: Browser, secured: User) -> None:
    give_password(client)

    response = client.post(PROVE, {"leave": "1"})

    assert (response.status_code, response["Location"]) == (303, LOGIN)
    assert client.get("/undecorated/").json() == {"user": "", "partial": None}


def test_another_user_gets_no_data_of_a_partial_login(client: Browser, secured: User, bob: User) -> None:
    give_password(client)
    client.post("/cart/", {"cart": "alice's"})

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "bob", "partial": None}
    assert client.get("/cart/").json() == {"cart": None}
    assert client.session.get(partial_login.PARTIAL_LOGIN_KEY) is None


def test_another_partial_login_replaces_the_first(client: Browser, secured: User, bob: User) -> None:
    add_totp(bob)
    give_password(client)

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "", "partial": "bob"}


def test_anonymous_session_data_survives_the_login(client: Browser, secured: User) -> None:
    client.post("/cart/", {"cart": "mine"})
    response = give_password(client)

    prove(client, response["Location"])

    assert client.get("/cart/").json() == {"cart": "mine"}


# Redirects


@pytest.mark.parametrize(
    "evil", ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)"]
)
def test_redirects_stay_on_the_site(client: Browser, secured: User, evil: str) -> None:
    give_password(client)
    page = f"{PROVE}?next={evil}"

    by_page = prove(client, page)

    assert by_page["Location"] == "/undecorated/"


def test_a_login_that_redirects_to_another_site_leads_to_our_page_only(client: Browser, secured: User) -> None:
    response = client.get("/as/alice/", {"onward": "https://elsewhere.example/x"})

    assert (response.status_code, response["Location"]) == (303, PROVE)


def test_a_relative_redirect_is_resolved(client: Browser, secured: User) -> None:
    response = client.get("/as/alice/", {"onward": "../../closed/?page=2"})

    assert response["Location"] == f"{PROVE}?next=%2Fclosed%2F%3Fpage%3D2"


def test_other_redirects_of_a_partial_login_are_unchanged(client: Browser, secured: User) -> None:
    give_password(client)

    assert client.get("/auth/login/choose/")["Location"] == "/auth/login/answer/"


def test_signed_in_users_are_redirected_from_the_page(client: Browser, bob: User) -> None:
    give_password(client, "bob")

    assert client.get(f"{PROVE}?next=/closed/")["Location"] == "/closed/"


def test_a_site_without_its_own_pages_uses_ours(client: Browser, bob: User, settings: Any) -> None:
    settings.LOGIN_URL, settings.LOGIN_REDIRECT_URL = "/nowhere/", "/nothing/"

    nobody = client.get(PROVE)["Location"]
    give_password(client, "bob")

    assert nobody == "/auth/login/?next=%2Fauth%2Faccount%2F"
    assert client.get(PROVE)["Location"] == "/auth/account/"


def test_a_site_below_a_path_uses_its_own_pages(client: Browser, settings: Any) -> None:
    settings.LOGIN_URL = "login"
    settings.LOGIN_REDIRECT_URL = "undecorated"

    with override_script_prefix("/below/"):
        sent = client.get(PROVE, SCRIPT_NAME="/below")

    assert sent["Location"] == "/below/accounts/login/?next=%2Fbelow%2Fundecorated%2F"


def test_a_login_on_another_host_is_the_destination_of_anonymous_requests(client: Browser, settings: Any) -> None:
    settings.LOGIN_URL = "https://sso.example.org/login"

    assert client.get(f"{PROVE}?next=/closed/")["Location"] == "https://sso.example.org/login?next=%2Fclosed%2F"


def test_the_pages_work_where_every_view_needs_a_login(client: Browser, secured: User, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    give_password(client)

    redirected = client.get("/undecorated/")
    proved = prove(client, redirected["Location"])

    assert urlsplit(redirected["Location"]).path == PROVE
    assert proved["Location"] == "/undecorated/"
    assert client.get("/undecorated/").json()["user"] == secured.get_username()
