"""Each mail of this package says what happened, in words that no stranger chose."""

from typing import Any

import pytest

from auth_core.request.client import Client
from auth_core.testing.browsers import log_in, new_browser
from auth_core.testing.hostile import HOSTILE, MARKS, marks_in_mail, not_closed, templates_in
from auth_core.testing.mails import delivered, the_mail, token_in
from auth_core.testing.notices import Told, assert_told, without_a_row
from auth_core.testing.settings import redis_url
from auth_sessions.models import Device
from auth_sessions.not_me import disown_login
from auth_sessions.pages.views import label_of
from auth_sessions.user_agents import country_code, describe, listed_name

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

MAILS = templates_in("auth_core/mail", "auth_sessions")


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    public_url = "https://auth.example.org"
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PUBLIC_URL": public_url, "OUTBOX_RELAY": "manual"}


def sign_in_elsewhere(person: Any, user_agent: str = "curl/8") -> None:
    log_in(new_browser())
    delivered()
    browser = new_browser()
    browser.defaults["HTTP_USER_AGENT"] = user_agent
    log_in(browser)


def disown(person: Any) -> None:
    sign_in_elsewhere(person)
    disown_login(token=token_in(the_mail()), client=Client())


#: By the name of the event or, without one, of the template.
ROWS = {
    "device_added": Told(sign_in_elsewhere, ("new device signed in", "curl"), ("locked", "was changed")),
    "session.login.disowned": Told(disown, ("is locked", "was not you"), ("new device signed in",)),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_mail_says_what_happened(name: str, alice: Any) -> None:
    assert_told(ROWS[name], alice)


def test_every_event_with_a_notice_has_a_row() -> None:
    assert without_a_row(ROWS, "session") == set()


def test_every_template_is_looked_at() -> None:
    assert {"device_added", "login_disowned"} == set(MAILS)


@pytest.mark.parametrize("template", MAILS)
def test_a_mail_prints_only_what_is_closed(template: str) -> None:
    assert not_closed(f"auth_core/mail/{template}.txt") == set()


@pytest.mark.parametrize("template", MAILS)
def test_a_mail_holds_nothing_of_a_hostile_value(template: str) -> None:
    assert marks_in_mail(template) == []


@pytest.mark.parametrize(
    "user_agent", [HOSTILE, f"{HOSTILE} CFNetwork/1490 Darwin/23.2.0", "BROKEN/2 CFNetwork/1 Darwin/23"]
)
def test_a_new_device_is_told_of_without_its_own_words(user_agent: str, alice: Any) -> None:
    sign_in_elsewhere(alice, user_agent)

    message = the_mail()
    assert not any(mark in message.body + message.alternatives[0][0] for mark in MARKS)


def test_a_device_is_labelled_without_its_own_words(alice: Any) -> None:
    family = describe("BROKEN INTO/2 CFNetwork/1 Darwin/23").browser
    device = Device(user=alice, browser=family, os="iOS", kind="mobile")

    assert "BROKEN" in family
    assert (label_of(device), str(device)) == ("iOS", "iOS")


@pytest.mark.parametrize(("text", "shown"), [("Firefox", "Firefox"), ("Firefox x", ""), ("", ""), (HOSTILE, "")])
def test_a_family_is_shown_if_it_is_on_the_list(text: str, shown: str) -> None:
    assert listed_name(text) == shown


@pytest.mark.parametrize(("text", "shown"), [("CH", "CH"), ("ch", ""), ("CH\n", ""), ("", ""), (HOSTILE, "")])
def test_a_country_is_its_code(text: str, shown: str) -> None:
    assert country_code(text) == shown
