"""Each mail of this package states its event, without text from strangers."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from auth_core.errors import ChallengeFailed
from auth_core.events import Event, record
from auth_core.request.client import Client
from auth_core.testing.browsers import answer, log_in, new_browser, post
from auth_core.testing.factories import PASSWORD
from auth_core.testing.hostile import marks_in_mail, not_closed, templates_in
from auth_core.testing.mails import code_in, delivered, the_mail
from auth_core.testing.notices import ExpectedMail, assert_mail, events_without_row, mail_of
from auth_core.testing.sessions import sign_in
from auth_mfa.answer_check import check_answer
from auth_mfa.conf import mfa
from auth_mfa.events import MfaEvent
from auth_mfa.factors import remove_own_factor, reset_factors
from auth_mfa.messages import enrolment as message_enrolment
from auth_mfa.testing.factors import add_mailbox, add_recovery_codes, add_totp, current_code
from auth_mfa.totp import enrolment as totp_enrolment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("captured_texts")]

MAILS = templates_in("auth_core/mail", "auth_mfa")
CLIENT = Client()
NUMBERS = {"left": 3}

#: Text that only mails about a login contain.
LOGIN = ("this login", "knows your password")


def add_app(person: Any) -> None:
    begun = totp_enrolment.begin_totp(user=person, name="")
    code = current_code(begun.factor.key)
    totp_enrolment.confirm_totp(user=person, factor_id=begun.factor.pk, code=code, client=CLIENT)


def begin_mailbox(person: Any) -> Any:
    return message_enrolment.begin_email(user=person, name="", client=CLIENT)


def send_again(person: Any) -> None:
    begun = begin_mailbox(person)
    delivered()
    message_enrolment.resend(user=person, factor_id=begun.factor.pk, client=CLIENT)


def confirm_mailbox(person: Any) -> None:
    begun = begin_mailbox(person)
    code = code_in(the_mail())
    message_enrolment.confirm(user=person, factor_id=begun.factor.pk, code=code, client=CLIENT)


def log_in_by_mail(person: Any) -> None:
    add_mailbox(person)
    log_in(new_browser())


def prove_again_by_mail(person: Any) -> None:
    browser = sign_in(person)
    add_mailbox(person)
    challenged = post(browser, "reauthenticate", required_assurance="second_factor", max_age=60)
    if challenged.json()["challenge"]["method"] == "password":
        challenged = answer(browser, challenged, password=PASSWORD)
    assert challenged.json()["challenge"]["method"] == "email_code", challenged.json()


def remove_app(person: Any) -> None:
    remove_own_factor(factor=add_totp(person))


def make_codes(person: Any) -> None:
    add_totp(person)
    add_recovery_codes(person)


def make_codes_again(person: Any) -> None:
    make_codes(person)
    delivered()
    add_recovery_codes(person)


def use_recovery_code(person: Any) -> None:
    add_totp(person)
    sheet = add_recovery_codes(person)
    delivered()
    browser = new_browser()
    challenged = log_in(browser)
    challenged = post(browser, "login/challenge", token=challenged.json()["token"], choice=str(sheet.factor.pk))
    assert answer(browser, challenged, code=sheet.codes[0]).status_code == 200


def reset(person: Any) -> None:
    reset_factors(user=person, actor=None)


def guess_too_often(person: Any) -> None:
    factor = add_totp(person)
    for _guess in range(mfa.MAX_FAILURES):
        with pytest.raises(ChallengeFailed):
            check_answer(factor, lambda: "code")


def copy(person: Any) -> None:
    record(Event(name=MfaEvent.FACTOR_CLONED, subject=person, data={"method": "security_key"}))


#: Keyed by the event or, without one, by the template, and a case after a colon.
ROWS = {
    "enrolment_code": ExpectedMail(begin_mailbox, ("is your code", "as a second factor"), LOGIN),
    "enrolment_code:again": ExpectedMail(send_again, ("is your code", "as a second factor"), LOGIN),
    "second_factor_code": ExpectedMail(
        log_in_by_mail, ("is your code", *LOGIN), ("as a second factor", "signed in at")
    ),
    "step_up_code": ExpectedMail(prove_again_by_mail, ("is your code", "confirm it's you"), LOGIN),
    "mfa.factor.added:totp": ExpectedMail(add_app, ("was added", "authenticator app"), ("removed", *LOGIN)),
    "mfa.factor.added:email_code": ExpectedMail(confirm_mailbox, ("was added", "codes by email"), ("removed", *LOGIN)),
    "mfa.factor.added:codes": ExpectedMail(
        make_codes, ("New recovery codes were created",), ("was removed", "was added")
    ),
    "mfa.factor.added:other codes": ExpectedMail(
        make_codes_again, ("New recovery codes were created", "no longer work"), ("removed", "was added")
    ),
    "mfa.factor.removed": ExpectedMail(
        remove_app, ("was removed", "authenticator app"), ("added", "recovery codes", *LOGIN)
    ),
    "mfa.recovery_code.used": ExpectedMail(
        use_recovery_code, ("was used", "9 left"), ("removed", "New recovery codes")
    ),
    "mfa.factors.reset": ExpectedMail(reset, ("administrator",), ("was added", "recovery code", *LOGIN)),
    "mfa.factor.disabled": ExpectedMail(guess_too_often, ("wrong answers", "authenticator app"), ("removed",)),
    "mfa.factor.regressed": ExpectedMail(copy, ("copied",), ("removed", "was added", *LOGIN)),
}


@pytest.mark.parametrize("name", ROWS)
def test_each_mail_states_its_event(name: str, alice: User) -> None:
    assert_mail(ROWS[name], alice)


def test_every_event_with_a_notice_has_a_row() -> None:
    assert events_without_row(ROWS, "mfa") == set()


def test_every_mail_template_has_a_row() -> None:
    assert {"enrolment_code", "step_up_code", "second_factor_code"} <= set(MAILS)
    assert len(MAILS) == len({name.partition(":")[0] for name in ROWS} - {"mfa.factor.added", "mfa.factor.removed"})


def test_a_mail_with_the_wrong_text_is_detected(alice: User) -> None:
    with pytest.raises(AssertionError, match="wrong"):
        assert_mail(ExpectedMail(add_app, (), ("was added",)), alice)


def test_the_code_of_an_added_mailbox_mentions_no_login(alice: User) -> None:
    assert "login" not in mail_of(ROWS["enrolment_code"], alice)


@pytest.mark.parametrize("template", MAILS)
def test_a_mail_prints_only_closed_values(template: str) -> None:
    assert not_closed(f"auth_core/mail/{template}.txt", numbers=NUMBERS) == set()


@pytest.mark.parametrize("template", MAILS)
def test_a_mail_omits_hostile_values(template: str) -> None:
    assert marks_in_mail(template, numbers=NUMBERS) == []
