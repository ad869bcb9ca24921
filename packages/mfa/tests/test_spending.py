"""One-time things, spent by two callers who both read them first: the second gets nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from auth_mfa.conf import mfa
from auth_mfa.models import FactorHistory, SentCode, WebauthnChallenge, WebauthnFactor
from auth_mfa.models.recovery_code import RecoveryCode
from auth_mfa.models.webauthn_challenge import Ceremony
from auth_mfa.testing.factors import add_recovery_codes, add_totp

pytestmark = [pytest.mark.django_db, pytest.mark.asvs("2.3.4")]

Spend = Callable[[], bool]


def time_step(alice: User) -> Spend:
    factor = add_totp(alice)
    return lambda: factor.spend_step(7)


def recovery_code(alice: User) -> Spend:
    add_totp(alice)
    sheet = add_recovery_codes(alice).factor
    digest = RecoveryCode.objects.filter(sheet=sheet).values_list("digest", flat=True)[0]
    return lambda: sheet.spend_code(digest)


def sent_code(alice: User) -> Spend:
    return _sent(alice).spend


def last_guess_at_a_sent_code(alice: User) -> Spend:
    return _sent(alice, guesses_left=1).spend_guess


def _sent(alice: User, **columns: Any) -> SentCode:
    ends = timezone.now() + timedelta(minutes=10)
    return SentCode.objects.create(
        user=alice, occasion=uuid4(), factor_id=uuid4(), code="123456", expires_at=ends, **columns
    )


def challenge(alice: User) -> Spend:
    issued = WebauthnChallenge.objects.issue(purpose=Ceremony.FIRST_FACTOR)
    return lambda: issued.spend(purpose=Ceremony.FIRST_FACTOR, user=None, occasion=None, browser_digest="")


def last_guess_at_a_factor(alice: User) -> Spend:
    factor = add_totp(alice)
    type(factor).objects.update(failures=mfa.MAX_FAILURES - 1)
    return factor.spend_guess


def last_guess_at_a_mailbox(alice: User) -> Spend:
    FactorHistory.objects.spend_mailbox_guess(alice)
    FactorHistory.objects.update(mailbox_failures=mfa.MAX_FAILURES - 1)
    return lambda: FactorHistory.objects.spend_mailbox_guess(alice)


KINDS = [
    time_step, recovery_code, sent_code, last_guess_at_a_sent_code, challenge, last_guess_at_a_factor,
    last_guess_at_a_mailbox,
]  # fmt: skip


@pytest.mark.parametrize("made", KINDS)
def test_a_one_time_thing_cannot_be_spent_twice(made: Any, alice: User) -> None:
    spend = made(alice)

    assert (spend(), spend()) == (True, False)


def test_a_signature_counter_must_rise(alice: User) -> None:
    nowhere = WebauthnFactor(pk=uuid4())

    assert nowhere.spend_count(1, backup_state=False) is False
