"""User journeys with texts, mails, recovery codes and a policy, in a browser, with and without scripts."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from auth_core.testing.factories import PASSWORD
from auth_core.testing.redis import OwnRedis
from auth_mfa import oath
from live.chromium import Open, Window, add_person, digits_in, log_in_at
from live.mailbox import Mailbox
from live.service import Service

pytestmark = [pytest.mark.postgresql, pytest.mark.live, pytest.mark.shots]


@pytest.fixture(scope="module")
def service(tmp_path_factory: Any, mails: Mailbox) -> Iterator[Service]:
    environment = {
        "EMAIL_FILE_PATH": str(mails.folder),
        "SMS_BACKEND": "console",
        "DJANGO_SETTINGS_MODULE": "staff_needs_a_factor",
    }
    with OwnRedis() as redis, Service(tmp_path_factory.mktemp("service"), redis.url, environment) as running:
        yield running


@pytest.fixture
def here(windows: Open, scripts: bool) -> Window:
    """A browser. A fault in its pages fails the test."""
    return windows(scripts=scripts)


def name_of(person: str, scripts: bool) -> str:
    """Return an address that no other test uses."""
    return f"{person}.{'js' if scripts else 'plain'}@example.org"


def text_to(service: Service, number: str, *, after: int) -> str:
    """Wait for a text to *number* after the first *after*, and return its code."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        codes = re.findall(rf"SMS to {re.escape(number)}:\n(\d{{6}}) ", service.log)
        if len(codes) > after:
            return str(codes[after])
        time.sleep(0.05)
    raise AssertionError(f"No text to {number} arrived: {service.log[-2000:]}")


def code_at(window: Window) -> str:
    """Return the code of an app with the key on the page."""
    secret = window.page.locator("code").inner_text().replace(" ", "")
    return oath.code_at(oath.from_base32(secret), oath.step_at(time.time()))


def wrong_for(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def add_phone(here: Window, service: Service, number: str) -> None:
    here.press("Second factors")
    here.look("factors-empty")
    here.press("Add a phone")
    here.look("phone")
    here.fill(number="123")
    here.press("Send code")
    assert "Enter a mobile number" in here.error_beside("number")
    here.look("phone-wrong")
    here.fill(number=number)
    here.press("Send code")
    assert f"•••• {number[-2:]}" in here.text
    here.look("phone-code")
    code = text_to(service, number, after=0)
    here.fill(code=wrong_for(code))
    here.press("Confirm")
    assert "is wrong" in here.error_beside("code")
    here.look("phone-code-wrong")
    here.press("Resend code")
    assert "sent the code again" in here.text
    assert text_to(service, number, after=1) == code
    here.look("phone-code-again")
    here.fill(code=code)
    here.press("Confirm")
    assert (here.path, "was added" in here.text) == ("/account/second-factors/", True)
    here.look("factors-phone")


def make_codes(here: Window, service: Service, number: str) -> list[str]:
    """Prove the phone, create recovery codes, and return them."""
    here.press("Create recovery codes")
    assert here.path == "/login/again/"
    here.press("Continue")
    here.fill(password=PASSWORD)
    here.press("Continue")
    assert f"•••• {number[-2:]}" in here.text
    here.fill(code=text_to(service, number, after=2))
    here.press("Continue")
    assert here.path == "/account/second-factors/recovery-codes/"
    here.look("recovery-codes-none")
    here.press("Create new codes")
    codes = here.page.locator("pre").inner_text().split()
    here.look("recovery-sheet")
    here.page.emulate_media(media="print")
    assert not here.page.locator("nav").is_visible()
    assert here.page.locator("pre").is_visible()
    here.page.emulate_media(media="screen")
    here.press("I have saved these codes")
    assert "You have 10 recovery codes left" in here.text
    here.look("factors-phone-and-codes")
    return codes


def test_from_a_phone_to_a_recovery_code(here: Window, service: Service, scripts: bool) -> None:
    email, number = name_of("tina", scripts), f"+4179123456{7 if scripts else 8}"
    add_person(service, email)
    log_in_at(here, email)
    add_phone(here, service, number)
    codes = make_codes(here, service, number)
    assert len(set(codes)) == 10
    here.press("Sign out")

    log_in_at(here, email)
    assert (here.path, f"•••• {number[-2:]}" in here.text) == ("/login/answer/", True)
    here.look("answer-text")
    code = text_to(service, number, after=3)
    here.press("Resend code")
    assert "The code was sent." in here.text
    here.look("answer-text-again")
    assert text_to(service, number, after=4) == code
    here.press("Recovery codes")
    assert here.title == "Enter a recovery code"
    here.look("answer-recovery-code")
    here.fill(code="0000-0000-0000-0000")
    here.press("Continue")
    assert "is wrong" in here.error_beside("code")
    here.look("answer-recovery-code-wrong")
    here.press("Phone")
    assert "No code was sent, because too many were requested" in here.text
    here.look("answer-text-withheld")
    here.press("Recovery codes")
    here.fill(code=codes[0].lower())
    here.press("Continue")
    assert here.path == "/account/"
    here.press("Second factors")
    assert "You have 9 recovery codes left" in here.text
    here.press("Rename Phone")
    here.fill(name="The one that rings when it should not")
    here.look("factor-name")
    here.press("Save")
    here.press("Remove The one that rings when it should not")
    assert "Your recovery codes will be removed too" in here.text
    here.look("factor-remove-last")
    here.press("Remove")
    assert "was removed" in here.text


def test_codes_by_mail(here: Window, service: Service, mails: Mailbox, scripts: bool) -> None:
    email = name_of("max", scripts)
    add_person(service, email)
    log_in_at(here, email)
    here.press("Second factors")
    here.press("Add email codes")
    assert "never counts as strong proof" in here.text
    here.look("email")
    here.press("Send code")
    here.fill(code=digits_in(mails.next_to(email)))
    here.look("email-code")
    here.press("Confirm")
    assert "Email codes to m•••@example.org" in here.text
    here.press("Sign out")
    assert "new second factor" in mails.next_to(email)

    log_in_at(here, email)
    assert "m•••@example.org" in here.text
    here.look("answer-email")
    here.fill(code=digits_in(mails.next_to(email)))
    here.press("Continue")
    assert here.path == "/account/"


def test_staff_add_an_app_during_login_and_cannot_remove_it(
    here: Window, service: Service, mails: Mailbox, scripts: bool
) -> None:
    email = name_of("sam", scripts)
    add_person(service, email)
    service.query(f"UPDATE auth_accounts_user SET is_staff = true WHERE email = '{email}' RETURNING 1")
    log_in_at(here, email)
    here.fill(code=digits_in(mails.next_to(email)))
    here.press("Continue")
    assert here.title == "Add an authenticator app"
    here.look("answer-enrolment")
    code = code_at(here)
    here.fill(code=wrong_for(wrong_for(code)))
    here.press("Confirm")
    assert "is wrong" in here.error_beside("code")
    here.look("answer-enrolment-wrong")
    here.fill(code=code_at(here))
    here.press("Confirm")
    assert here.path == "/account/"

    here.press("Second factors")
    here.look("factors-staff")
    here.press("Remove Authenticator app")
    here.press("Remove")
    assert (here.status, here.title) == (409, "You need this second factor")
    here.look("factor-last")
    here.press("Back")
    assert "Authenticator app" in here.text
