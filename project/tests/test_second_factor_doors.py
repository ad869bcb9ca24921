"""If a second factor is required, no login route yields more than a challenge."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client as Browser
from django.test import override_settings

from auth_core.federation.testing.browsers import sign_in_at
from auth_core.federation.testing.providers import FakeProvider, running
from auth_core.flows.invitations import invite
from auth_core.models import BootstrapLink
from auth_core.request.client import Client
from auth_core.testing.browsers import answer, log_in, new_browser, post
from auth_core.testing.doors import Doors
from auth_core.testing.factories import PASSWORD, make_administrator
from auth_core.testing.mails import code_in, delivered, token_in
from auth_core.testing.settings import redis_url
from auth_mfa.factors import factor_of, factors_of, remove_factor
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import add_totp

pytestmark = [pytest.mark.django_db(transaction=bool(redis_url())), pytest.mark.asvs("6.3.3")]

DOORS = Doors.read(Path(__file__).with_name("doors.toml"))

#: Another password, for routes that set one.
NEW = "another battery horse staple"

EMAIL = "alice@example.org"


@pytest.fixture(autouse=True)
def everyone(settings: Any) -> None:
    """A service that requires a second factor of all users."""
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}


@pytest.fixture(params=["has one", "never had one", "lost it"])
def person(request: pytest.FixtureRequest, alice: Any) -> Any:
    """A user who must have a second factor."""
    if request.param == "never had one":
        return alice
    add_totp(alice)
    if request.param == "lost it":
        for description in factors_of(alice):
            factor = factor_of(user=alice, factor_id=description.id)
            assert factor is not None
            remove_factor(factor=factor)
        delivered()
    return alice


def on_page(browser: Browser, address: str, **form: str) -> Any:
    browser.get(address)
    token = browser.cookies["csrftoken"].value
    return browser.post(address, {**form, "csrfmiddlewaretoken": token}, HTTP_REFERER="http://testserver/")


def answer_api(browser: Browser, person: Any) -> Any:
    challenged = log_in(browser)
    token = challenged.json().get("token", "elt_" + "x" * 43)
    sent = [code_in(mail) for mail in delivered()]
    return answer(browser, token, code=sent[-1] if sent else "000000")


def answer_page(browser: Browser, person: Any) -> Any:
    on_page(browser, "/login/", identifier=EMAIL, password=PASSWORD)
    sent = [code_in(mail) for mail in delivered()]
    return on_page(browser, "/login/answer/", code=sent[-1] if sent else "000000")


def passkey_api(browser: Browser, person: Any) -> Any:
    key = Authenticator(backup_eligible=True, user_verified=False).added_to(person)
    ceremony = post(browser, "mfa/passkeys/login").json()
    credential = key.sign(ceremony["options"])
    return post(browser, "mfa/passkeys/login/answer", token=ceremony["token"], credential=credential)


def passkey_page(browser: Browser, person: Any) -> Any:
    key = Authenticator(backup_eligible=True, user_verified=False).added_to(person)
    ceremony = browser.post("/account/second-factors/passkeys/login/options/").json()
    credential = json.dumps(key.sign(ceremony["options"]))
    form = {"token": ceremony["token"], "credential": credential}
    return browser.post("/account/second-factors/passkeys/login/", form)


def setup_page(browser: Browser, person: Any) -> Any:
    browser.get(f"/setup/{BootstrapLink.prefix}_{'x' * 43}/")
    return on_page(browser, "/setup/", email=EMAIL, password=PASSWORD)


def provider_callback(browser: Browser, person: Any) -> Any:
    core = {**settings.AUTH_CORE, "OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8"]}
    with running(FakeProvider()) as fake:
        federation = {"PROVIDERS": {"openid": fake.options()}}
        with override_settings(AUTH_CORE=core, AUTH_FEDERATION=federation):
            return sign_in_at(browser, "openid")


#: An attempt at each login route by a thief with password and mailbox.
ATTEMPTS: dict[str, Callable[[Browser, Any], Any]] = {
    "api/v1/login/": lambda browser, person: log_in(browser),
    "api/v1/login/answer/": answer_api,
    "login/": lambda browser, person: on_page(browser, "/login/", identifier=EMAIL, password=PASSWORD),
    "login/answer/": answer_page,
    "api/v1/mfa/passkeys/login/answer/": passkey_api,
    "account/second-factors/passkeys/login/": passkey_page,
    "setup/": setup_page,
    "federation/<slug:slug>/callback/": provider_callback,
}


def assert_not_signed_in(browser: Browser) -> None:
    assert browser.get("/api/v1/me/").status_code == 401
    assert browser.get("/account/").status_code == 302
    assert browser.get("/admin/").status_code == 302


def test_every_login_route_is_tested() -> None:
    assert set(ATTEMPTS) == set(DOORS.kinds["door"])


@pytest.mark.parametrize("door", sorted(ATTEMPTS))
def test_no_login_route_yields_more_than_a_challenge(door: str, person: Any) -> None:
    browser = new_browser()

    answered = ATTEMPTS[door](browser, person)

    assert answered.status_code in (202, 303, 400, 401, 403)
    assert_not_signed_in(browser)


@pytest.mark.parametrize("transport", ["cookie", "token"])
def test_a_login_by_either_transport_is_challenged_or_refused(transport: str, person: Any) -> None:
    answered = log_in(Browser() if transport == "token" else new_browser(), transport=transport)

    assert answered.status_code in (202, 403)
    assert "session" not in answered.json()


def test_a_password_reset_does_not_sign_in_or_skip_the_second_factor(person: Any) -> None:
    browser = new_browser()
    post(browser, "password/forgot", email=EMAIL)
    reset = post(browser, "password/reset", token=token_in(delivered()[-1]), password=NEW)

    assert reset.status_code == 200
    assert_not_signed_in(browser)
    assert log_in(browser, password=NEW).status_code in (202, 403)


def test_an_invitation_creates_an_account_and_no_session(alice: Any) -> None:
    browser = new_browser()
    invite(email="bob@example.org", actor=make_administrator(), client=Client())
    accepted = post(browser, "invitations/accept", token=token_in(delivered()[-1]), password=NEW)
    challenged = log_in(browser, identifier="bob@example.org", password=NEW)

    assert accepted.status_code in (200, 201)
    assert_not_signed_in(browser)
    assert challenged.json()["challenge"]["method"] == "email_code"


def test_the_admin_has_no_login_of_its_own(person: Any) -> None:
    person.is_staff = person.is_superuser = True
    person.save()
    browser = new_browser()

    answered = on_page(browser, "/login/", identifier=EMAIL, password=PASSWORD)
    own = browser.post("/admin/login/", {"username": EMAIL, "password": PASSWORD})

    assert answered.status_code in (303, 403)
    assert own.status_code in (302, 403)
    assert_not_signed_in(browser)


@pytest.fixture
def open_policy(settings: Any) -> None:
    """The planted defect: no second factor is required."""
    settings.AUTH_MFA = {}


@pytest.mark.usefixtures("open_policy")
def test_an_open_login_route_is_detected(alice: Any) -> None:
    browser = new_browser()

    ATTEMPTS["api/v1/login/"](browser, alice)

    with pytest.raises(AssertionError):
        assert_not_signed_in(browser)
