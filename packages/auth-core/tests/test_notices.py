"""Each mail describes the change that caused it, and no other."""

from typing import Any

import pytest

from auth_core.events import AuthEvent, Event, record
from auth_core.flows import email_verification, invitations, password_reset, signup
from auth_core.flows.password_change import change_password
from auth_core.models import EmailAddress, OutboxMessage
from auth_core.request.client import Client
from auth_core.testing.factories import PASSWORD
from auth_core.testing.hostile import templates_in
from auth_core.testing.mails import delivered, the_mail, token_in
from auth_core.testing.notices import ExpectedMail, assert_mail, events_without_row

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


def request_signup(email: str) -> None:
    signup.request_signup(email=email, password=PASSWORD, client=CLIENT, browser_secret="x")


def unproven(person: Any) -> None:
    EmailAddress.objects.update(verified_at=None)
    email_verification.resend_confirmation(email="alice@example.org", client=CLIENT, browser_secret="")


def factor(name: AuthEvent, method: str) -> Any:
    return lambda person: record(Event(name=name, subject=person, data={"method": method}))


#: Mails that an event causes.
EVENTS = {
    "auth.password.changed": ExpectedMail(change, ("password", "was changed"), ("reset", "second factor")),
    "auth.password.reset": ExpectedMail(reset, ("was reset", "link from an email"), ("was changed", "second factor")),
    "mfa.factor.added": ExpectedMail(
        factor(AuthEvent.FACTOR_ADDED, "totp"),
        ("second factor was added", "authenticator app"),
        ("removed", "recovery", "totp", "password was"),
    ),
    "mfa.factor.added:recovery_code": ExpectedMail(
        factor(AuthEvent.FACTOR_ADDED, "recovery_code"),
        ("New recovery codes were created",),
        ("removed", "second factor"),
    ),
    "mfa.factor.removed": ExpectedMail(
        factor(AuthEvent.FACTOR_REMOVED, "sms_code"), ("second factor was removed", "text messages"), ("added", "sms_")
    ),
}

#: Mails that a request causes.
REQUESTED = {
    "password_forgot": ExpectedMail(forget, ("Choose a new password",), ("was reset", "was changed")),
    "signup_confirm": ExpectedMail(
        lambda person: request_signup("bob@example.org"), ("Confirm your email address", "signed up"), ("already",)
    ),
    "signup_known": ExpectedMail(
        lambda person: request_signup("alice@example.org"), ("already",), ("Confirm your email address", "code")
    ),
    "invitation": ExpectedMail(
        lambda person: invitations.invite(email="bob@example.org", actor=person, client=CLIENT),
        ("are invited",),
        ("signed up", "already"),
    ),
    "email_verify": ExpectedMail(unproven, ("Confirm your email address",), ("signed up", "password")),
}


@pytest.mark.parametrize("name", EVENTS)
def test_a_notice_says_what_happened(name: str, alice: Any) -> None:
    assert_mail(EVENTS[name], alice)


@pytest.mark.parametrize("template", REQUESTED)
def test_a_requested_mail_says_what_was_requested(template: str, alice: Any) -> None:
    assert_mail(REQUESTED[template], alice)

    assert OutboxMessage.objects.latest("pk").template == template


def test_every_event_with_a_notice_has_a_row() -> None:
    assert events_without_row(EVENTS, "auth") | events_without_row(EVENTS, "mfa") == set()


def test_every_template_is_the_mail_of_a_row(alice: Any) -> None:
    for row in EVENTS.values():
        delivered()
        row.trigger(alice)
        alice.set_password(PASSWORD)
        alice.save()

    sent = set(OutboxMessage.objects.values_list("template", flat=True))
    assert set(templates_in("auth_core/mail", "auth_core")) == sent | set(REQUESTED)


def test_a_missing_row_is_reported() -> None:
    rows = {name: row for name, row in EVENTS.items() if name != "auth.password.reset"}

    assert events_without_row(rows, "auth") == {"auth.password.reset"}


def test_replaced_recovery_codes_send_no_removal_notice(alice: Any) -> None:
    data = {"method": "recovery_code"}
    record(Event(name=AuthEvent.FACTOR_REMOVED, subject=alice, reason="replaced", data=data))

    assert delivered() == []


def test_a_login_sends_no_notice(alice: Any) -> None:
    record(Event(name=AuthEvent.LOGIN_SUCCEEDED, subject=alice))

    assert delivered() == []
