"""Codes by text message and email in a login."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from auth_core.assurance.methods import Evidence, Method
from auth_core.contracts import Purpose
from auth_core.errors import ChallengeFailed
from auth_core.models import PendingLogin
from auth_core.request.client import Client
from auth_core.request.context import current
from auth_core.users import UserLike
from auth_mfa.answer_check import check_answer, record_mailbox_check
from auth_mfa.codes import code_in
from auth_mfa.factors import row_of
from auth_mfa.kinds import NO_ROW, OwnedFactor
from auth_mfa.messages import sms_guard
from auth_mfa.messages.delivery import Occasion, check_code, destination_of_owned_factor, send_code
from auth_mfa.models import FactorHistory, PhoneFactor, SentCode
from auth_mfa.models.sent_code import code_of
from auth_mfa.oath import DIGITS


class Message:
    """The challenge for a code that is sent by text message or by email."""

    name = "code"
    together = False

    def ask(self, login: PendingLogin, factors: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Send a code, the same again until it expires, and return a hint of where it was sent."""
        destination = destination_of_owned_factor(login.person, factors[0])
        if destination is None:
            return {"digits": DIGITS, "to": "", "is_sent": False}
        client = current().client or Client()
        what_for = Occasion.STEP_UP if login.purpose == Purpose.STEP_UP else Occasion.LOGIN
        sending = send_code(
            occasion=login.pk, user=login.person, destination=destination, client=client, what_for=what_for
        )
        return {"digits": DIGITS, "to": destination.hint, "is_sent": sending.is_sent}

    def repeat(self, login: PendingLogin, factors: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Return a hint of where the code was sent."""
        destination = destination_of_owned_factor(login.person, factors[0])
        sent = code_of(occasion=login.pk, factor_id=factors[0].id)
        hint = "" if destination is None else destination.hint
        return {"digits": DIGITS, "to": hint, "is_sent": sent is not None and sent.is_live}

    def answer(self, login: PendingLogin, factors: Sequence[OwnedFactor], answer: Mapping[str, Any]) -> Evidence:
        """Return the evidence of the code that was sent for this login.

        Raises:
            InvalidRequest: the answer has no six-digit code.
            ChallengeFailed: the code is wrong, used or expired, or was sent for another login.
        """
        code = code_in(answer)
        sent = code_of(occasion=login.pk, factor_id=factors[0].id)
        if factors[0].id == NO_ROW:
            _check_mailbox(login.person, sent, code)
            return Evidence.now(Method.EMAIL_CODE)
        factor = row_of(login.person, factors[0])
        if factor is None:
            raise ChallengeFailed
        check_answer(factor, lambda: check_code(sent, code))
        if isinstance(factor, PhoneFactor):
            sms_guard.note_used(number=factor.number)
        return Evidence.now(factor.method, credential=str(factor.pk))

    def answer_userless(self, answer: Mapping[str, Any]) -> None:
        """Read the code. No code was sent for a login without a user."""
        code_in(answer)


def _check_mailbox(user: UserLike, sent: SentCode | None, code: str) -> None:
    with transaction.atomic(durable=True):
        has_guess = FactorHistory.objects.spend_mailbox_guess(user)
        reason = check_code(sent, code) if has_guess else "exhausted"
        record_mailbox_check(user, reason)
        if not reason:
            FactorHistory.objects.forget_mailbox_failures(user)
    if reason:
        raise ChallengeFailed
