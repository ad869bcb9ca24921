"""Each mail of this package describes its event, without text that a stranger chose."""

from typing import Any

import pytest

from auth_core.request.client import Client
from auth_core.testing.browsers import log_in, new_browser
from auth_core.testing.hostile import HOSTILE, MARKS, marks_in_mail, not_closed, templates_in
from auth_core.testing.mails import delivered, the_mail, token_in
from auth_core.testing.notices import ExpectedMail, assert_mail, events_without_row
from auth_core.testing.settings import redis_url
from auth_sessions.models import Device
from auth_sessions.not_me import revoke_by_link
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


def report_not_me(person: Any) -> None:
    sign_in_elsewhere(person)
    revoke_by_link(token=token_in(the_mail()), client=Client())


#: Keys: the name of the event, or of the template if there is no event.
ROWS = {
    "device_added": ExpectedMail(sign_in_elsewhere, ("new device signed in", "curl"), ("locked", "was changed")),
    "session.login.reported": ExpectedMail(report_not_me, ("is locked", "was not you"), ("new device signed in",)),
}


@pytest.mark.parametrize("name", ROWS)
def test_a_mail_describes_the_event(name: str, alice: Any) -> None:
    assert_mail(ROWS[name], alice)


def test_every_event_with_a_notice_has_a_row() -> None:
    assert events_without_row(ROWS, "session") == set()


def test_every_template_is_tested() -> None:
    assert {"device_added", "login_reported"} == set(MAILS)


@pytest.mark.parametrize("template", MAILS)
def test_a_mail_prints_only_safe_values(template: str) -> None:
    assert not_closed(f"auth_core/mail/{template}.txt") == set()


@pytest.mark.parametrize("template", MAILS)
def test_a_mail_contains_no_part_of_a_hostile_value(template: str) -> None:
    assert marks_in_mail(template) == []


@pytest.mark.parametrize(
    "user_agent", [HOSTILE, f"{HOSTILE} CFNetwork/1490 Darwin/23.2.0", "BROKEN/2 CFNetwork/1 Darwin/23"]
)
def test_the_new_device_mail_contains_no_text_of_the_user_agent(user_agent: str, alice: Any) -> None:
    sign_in_elsewhere(alice, user_agent)

    message = the_mail()
    assert not any(mark in message.body + message.alternatives[0][0] for mark in MARKS)


def test_a_device_label_contains_no_text_of_the_user_agent(alice: Any) -> None:
    family = describe("BROKEN INTO/2 CFNetwork/1 Darwin/23").browser
    device = Device(user=alice, browser=family, os="iOS", kind="mobile")

    assert "BROKEN" in family
    assert (label_of(device), str(device)) == ("iOS", "iOS")


@pytest.mark.parametrize(("text", "shown"), [("Firefox", "Firefox"), ("Firefox x", ""), ("", ""), (HOSTILE, "")])
def test_only_listed_family_names_are_shown(text: str, shown: str) -> None:
    assert listed_name(text) == shown


@pytest.mark.parametrize(("text", "shown"), [("CH", "CH"), ("ch", ""), ("CH\n", ""), ("", ""), (HOSTILE, "")])
def test_only_country_codes_are_shown(text: str, shown: str) -> None:
    assert country_code(text) == shown
