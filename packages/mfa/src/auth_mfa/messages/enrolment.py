"""Enrolment of phones and mailboxes, confirmed by a code that is sent to them."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from auth_core import limits
from auth_core.assurance.methods import Method
from auth_core.errors import ChallengeFailed, Conflict, FieldError, InvalidRequest, NotFound
from auth_core.request.client import Client
from auth_core.users import UserLike
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
        factor: The unconfirmed factor.
        sending: The result of sending the code.
    """

    factor: MessageFactor
    sending: Sending


def begin_phone(*, user: UserLike, number: str, name: str, client: Client) -> Begun:
    """Send a code to *number* to add it as a second factor. Earlier unconfirmed numbers are deleted.

    The caller has checked for a fresh proof (`factors.check_fresh_proof`).

    Raises:
        InvalidRequest: *number* is not a phone number, or this site sends no texts.
        NumberRefused: the number is a premium number, in a refused country, or not a mobile number.
        Conflict: the user has the maximum number of phones.
    """
    refuse_unoffered(Method.SMS_CODE)
    e164 = parse_number(number).e164
    factor = PhoneFactor(user_id=user.pk, name=name or _("Phone"), number=e164)
    return _begin(factor, user, client)


def begin_email(*, user: UserLike, name: str, client: Client) -> Begun:
    """Send a code to the address of *user* to add it as a second factor.

    Raises:
        InvalidRequest: the user has no verified address, or this site does not offer email codes.
        Conflict: this address is already a second factor of the user.
    """
    refuse_unoffered(Method.EMAIL_CODE)
    address = mailbox_of(user)
    if not address:
        raise InvalidRequest(FieldError("", "no_address", _("Verify your email address first.")))
    if any(factor.address == address for factor in EmailFactor.objects.of(user)):
        raise Conflict
    return _begin(EmailFactor(user_id=user.pk, name=name or _("Email"), address=address), user, client)


def begun_message(*, user: UserLike, factor_id: UUID) -> Begun:
    """Return an enrolment that *user* has begun, and whether its code is still live.

    Raises:
        NotFound: there is no such enrolment, or it ended.
    """
    factor = _begun(user, factor_id)
    sent = code_of(occasion=factor.pk, factor_id=factor.pk)
    if sent is None or not sent.is_live:
        return Begun(factor, Sending(is_sent=False))
    return Begun(factor, Sending(is_sent=True, expires_at=sent.expires_at))


def resend(*, user: UserLike, factor_id: UUID, client: Client) -> Begun:
    """Send the code of a begun enrolment again. It is the same code until it expires.

    Raises:
        NotFound: *user* has no such enrolment.
    """
    factor = _begun(user, factor_id)
    with transaction.atomic():
        sending = _send(factor, user, client)
    return Begun(factor, sending)


def confirm(*, user: UserLike, factor_id: UUID, code: str, client: Client) -> MessageFactor:
    """Confirm a phone or mailbox with the *code* that was sent to it.

    Raises:
        NotFound: *user* has no such enrolment, or it was confirmed or deleted meanwhile.
        TooManyAttempts: too many wrong answers for this user.
        ChallengeFailed: the code is wrong, used or expired.
    """
    factor = _begun(user, factor_id)
    guess = limits.charge("answer", person=str(user.pk), client=client)
    with transaction.atomic(durable=True):
        # Locked before the code. A concurrent enrolment holds this lock while it waits for the row of a sent code.
        FactorHistory.objects.lock(user)
        reason = check_code(code_of(occasion=factor.pk, factor_id=factor.pk), code)
        if not reason:
            let_count(factor=factor, user=user, client=client)
    if reason:
        record_failure(factor=factor, user=user, client=client)
        raise ChallengeFailed
    if isinstance(factor, PhoneFactor):
        # After the transaction. Sending a text locks the prefix, then waits for the code that is spent above.
        sms_guard.note_used(number=factor.number)
    guess.refund()
    factor.refresh_from_db()
    return factor


def _begin(factor: MessageFactor, user: UserLike, client: Client) -> Begun:
    with transaction.atomic():
        make_room(user=user, model=type(factor))
        factor.save(force_insert=True)
        record_begin(factor, user)
        sending = _send(factor, user, client)
    return Begun(factor, sending)


def _send(factor: MessageFactor, user: UserLike, client: Client) -> Sending:
    destination = destination_of(factor)
    return send_code(occasion=factor.pk, user=user, destination=destination, client=client, what_for=Occasion.ENROLMENT)


def _begun(user: UserLike, factor_id: UUID) -> MessageFactor:
    rows = (model.objects.begun_by(user).filter(pk=factor_id).first() for model in (PhoneFactor, EmailFactor))
    factor: MessageFactor | None = next((row for row in rows if row is not None), None)
    if factor is None:
        raise NotFound
    return factor
