"""Each mail says what happened, and nothing that did not."""

from typing import Any

import pytest

from auth_core.events import AuthEvent, Event, record
from auth_core.flows import email_verification, invitations, password_reset, signup
from auth_core.flows.password_change import change_password
from auth_core.models import EmailAddress, OutboxMessage
from auth_core.request.client import Client
from auth_core.testing.hostile import templates_in
from auth_core.testing.mails import delivered, the_mail, token_in
from auth_core.testing.notices import Told, assert_told, without_a_row
from conftest import PASSWORD

pytestmark = pytest.mark.django_db

CLIENT = Client()
NEW = "another battery horse staple"


def change(person: Any) -> None:
    change_password(user=person, current_password=PASSWORD, new_password=NEW, session=None, client=CLIENT)


def forget(person: Any) -> None:
    password_reset.request_reset(email="alice@example.org", client=CLIENT)


def reset(person: Any) -> None:
    forget(person)
    password_reset.reset_password(token=token_in(the_mail()), password=NEW, client=CLIENT)


def sign_up(email: str) -> None:
    signup.request_signup(email=email, password=PASSWORD, client=CLIENT, browser_secret="x")


def unproven(person: Any) -> None:
    EmailAddress.objects.update(verified_at=None)
    email_verification.resend_confirmation(email="alice@example.org", client=CLIENT, browser_secret="")


def factor(name: AuthEvent, method: str) -> Any:
    return lambda person: record(Event(name=name, subject=person, data={"method": method}))


#: Events of which a mail tells.
EVENTS = {
    "auth.password.changed": Told(change, ("password", "was changed"), ("reset", "second factor")),
    "auth.password.reset": Told(reset, ("was reset", "link that was mailed"), ("was changed", "second factor")),
    "mfa.factor.added": Told(
        factor(AuthEvent.FACTOR_ADDED, "totp"),
        ("second factor was added", "authenticator app"),
        ("removed", "recovery", "totp", "password was"),
    ),
    "mfa.factor.added:recovery_code": Told(
        factor(AuthEvent.FACTOR_ADDED, "recovery_code"), ("New recovery codes were made",), ("removed", "second factor")
    ),
    "mfa.factor.removed": Told(
        factor(AuthEvent.FACTOR_REMOVED, "sms_code"), ("second factor was removed", "text messages"), ("added", "sms_")
    ),
}

#: Mails that a request asks for.
ASKED = {
    "password_forgot": Told(forget, ("Choose a new password",), ("was reset", "was changed")),
    "signup_confirm": Told(
        lambda person: sign_up("bob@example.org"), ("Confirm your address", "signed up"), ("already",)
    ),
    "signup_known": Told(lambda person: sign_up("alice@example.org"), ("already",), ("Confirm your address", "code")),
    "invitation": Told(
        lambda person: invitations.invite(email="bob@example.org", actor=person, client=CLIENT),
        ("are invited",),
        ("signed up", "already"),
    ),
    "email_verify": Told(unproven, ("Confirm your address",), ("signed up", "password")),
}


@pytest.mark.parametrize("name", EVENTS)
def test_a_notice_says_what_happened(name: str, alice: Any) -> None:
    assert_told(EVENTS[name], alice)


@pytest.mark.parametrize("template", ASKED)
def test_a_mail_that_is_asked_for_says_what_was_asked(template: str, alice: Any) -> None:
    assert_told(ASKED[template], alice)

    assert OutboxMessage.objects.latest("pk").template == template


def test_every_event_with_a_notice_has_a_row() -> None:
    assert without_a_row(EVENTS, "auth") | without_a_row(EVENTS, "mfa") == set()


def test_every_template_is_the_mail_of_a_row(alice: Any) -> None:
    for row in EVENTS.values():
        delivered()
        row.happens(alice)
        alice.set_password(PASSWORD)
        alice.save()

    sent = set(OutboxMessage.objects.values_list("template", flat=True))
    assert set(templates_in("auth_core/mail", "auth_core")) == sent | set(ASKED)


def test_an_event_with_a_notice_and_no_row_is_missed() -> None:
    rows = {name: row for name, row in EVENTS.items() if name != "auth.password.reset"}

    assert without_a_row(rows, "auth") == {"auth.password.reset"}


def test_codes_that_replace_others_are_no_removal(alice: Any) -> None:
    data = {"method": "recovery_code"}
    record(Event(name=AuthEvent.FACTOR_REMOVED, subject=alice, reason="replaced", data=data))

    assert delivered() == []


def test_a_login_is_not_told_of(alice: Any) -> None:
    record(Event(name=AuthEvent.LOGIN_SUCCEEDED, subject=alice))

    assert delivered() == []
