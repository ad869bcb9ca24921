"""Adding a telephone or a mailbox: there once the code that was sent to it came back."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from auth_core import limits
from auth_core.assurance.methods import Method
from auth_core.errors import ChallengeFailed, Conflict, FieldError, InvalidRequest, NotFound
from auth_core.request.client import Client
from auth_mfa.enrolment import let_count, make_room, record_begin, record_failure, refuse_unoffered
from auth_mfa.mailbox import mailbox_of
from auth_mfa.messages import sms_guard
from auth_mfa.messages.delivery import Occasion, Sending, check_code, destination_of, send_code
from auth_mfa.messages.phone_numbers import parse_number
from auth_mfa.models import EmailFactor, FactorHistory, PhoneFactor
from auth_mfa.models.sent_code import code_of

MessageFactor = PhoneFactor | EmailFactor


@dataclass(frozen=True, slots=True)
class Begun:
    """An enrolment that waits for its code.

    Args:
        factor: Begun, and not confirmed.
        sending: What became of the code.
    """

    factor: MessageFactor
    sending: Sending


def begin_phone(*, user: Any, number: str, name: str, client: Client) -> Begun:
    """Send a code to *number*, which is to be a second factor; what was begun before is thrown away.

    The caller has seen to a fresh proof (`factors.check_fresh_proof`).

    Raises:
        InvalidRequest: *number* is none, or this site sends no texts.
        NumberRefused: it is premium, of another country, or no mobile number.
        Conflict: the person has as many as they may.
    """
    refuse_unoffered(Method.SMS_CODE)
    e164 = parse_number(number).e164
    factor = PhoneFactor(user_id=user.pk, name=name or _("Telephone"), number=e164)
    return _begin(factor, user, client)


def begin_email(*, user: Any, name: str, client: Client) -> Begun:
    """Send a code to the address of *user*, which is to be a second factor.

    Raises:
        InvalidRequest: they have no proven address, or this site has no such factors.
        Conflict: they have this one already.
    """
    refuse_unoffered(Method.EMAIL_CODE)
    address = mailbox_of(user)
    if not address:
        raise InvalidRequest(FieldError("", "no_address", _("Prove an email address first.")))
    if any(held.address == address for held in EmailFactor.objects.of(user)):
        raise Conflict
    return _begin(EmailFactor(user_id=user.pk, name=name or _("Email"), address=address), user, client)


def begun_message(*, user: Any, factor_id: UUID) -> Begun:
    """Return an enrolment that *user* has begun, to be shown again, and whether a code for it lives.

    Raises:
        NotFound: there is none, or not any more.
    """
    factor = _begun(user, factor_id)
    sent = code_of(occasion=factor.pk, factor_id=factor.pk)
    if sent is None or not sent.is_live:
        return Begun(factor, Sending(is_sent=False))
    return Begun(factor, Sending(is_sent=True, expires_at=sent.expires_at))


def resend(*, user: Any, factor_id: UUID, client: Client) -> Begun:
    """Send the code of a begun enrolment once more, the same while it lives.

    Raises:
        NotFound: *user* has begun nothing like it.
    """
    factor = _begun(user, factor_id)
    with transaction.atomic():
        sending = _send(factor, user, client)
    return Begun(factor, sending)


def confirm(*, user: Any, factor_id: UUID, code: str, client: Client) -> MessageFactor:
    """Let a telephone or mailbox count, once *code* shows that its owner reads it.

    Raises:
        NotFound: nothing like it was begun by *user*, or it was confirmed or given up since.
        TooManyAttempts: this person has been guessed at too often.
        ChallengeFailed: the code is wrong, used or expired.
    """
    factor = _begun(user, factor_id)
    guess = limits.charge("answer", person=str(user.pk), client=client)
    with transaction.atomic(durable=True):
        # Before the code: whoever begins anew meanwhile holds this, and waits for a text that is sent again.
        FactorHistory.objects.lock(user)
        reason = check_code(code_of(occasion=factor.pk, factor_id=factor.pk), code)
        if not reason:
            let_count(factor=factor, user=user, client=client)
    if reason:
        record_failure(factor=factor, user=user, client=client)
        raise ChallengeFailed
    if isinstance(factor, PhoneFactor):
        # Afterwards: a text is sent under the lock of its prefix, and waits for the code that is spent above.
        sms_guard.note_used(number=factor.number)
    guess.refund()
    factor.refresh_from_db()
    return factor


def _begin(factor: MessageFactor, user: Any, client: Client) -> Begun:
    with transaction.atomic():
        make_room(user=user, model=type(factor))
        factor.save(force_insert=True)
        record_begin(factor, user)
        sending = _send(factor, user, client)
    return Begun(factor, sending)


def _send(factor: MessageFactor, user: Any, client: Client) -> Sending:
    destination = destination_of(factor)
    return send_code(occasion=factor.pk, user=user, destination=destination, client=client, what_for=Occasion.ENROLMENT)


def _begun(user: Any, factor_id: UUID) -> MessageFactor:
    found = (model.objects.begun_by(user).filter(pk=factor_id).first() for model in (PhoneFactor, EmailFactor))
    factor: MessageFactor | None = next((row for row in found if row is not None), None)
    if factor is None:
        raise NotFound
    return factor
