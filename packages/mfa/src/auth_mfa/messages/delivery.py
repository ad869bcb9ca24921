"""Delivery of codes: one code for each occasion, and the same code again until it expires."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from auth_core import limits
from auth_core.assurance.methods import Method
from auth_core.crypto.secrets import new_code, same
from auth_core.errors import TooManyAttempts
from auth_core.events import Event, EventOutcome, record
from auth_core.messages.notify import notify
from auth_core.messages.sms import post_text
from auth_core.request.client import Client
from auth_core.users import UserLike
from auth_mfa.errors import NumberRefused
from auth_mfa.events import MfaEvent
from auth_mfa.factors import row_of
from auth_mfa.kinds import NO_ROW, OwnedFactor
from auth_mfa.mailbox import mailbox_of
from auth_mfa.messages import sms_guard
from auth_mfa.models import EmailFactor, PhoneFactor, SentCode
from auth_mfa.models.message_factor import masked_address
from auth_mfa.models.sent_code import LIFETIME
from auth_mfa.oath import DIGITS


@dataclass(frozen=True, slots=True)
class Destination:
    """The recipient of a code.

    Args:
        factor_id: The factor it belongs to, or `NO_ROW` for a mailbox that was not enrolled.
        method: `SMS_CODE` or `EMAIL_CODE`.
        to: The number or the address.
        hint: The masked form of *to*, which may be shown.
    """

    factor_id: UUID
    method: Method
    to: str = field(repr=False)
    hint: str


class Occasion(StrEnum):
    """The purpose of a code. The value is the template of the mail."""

    LOGIN = "second_factor_code"
    STEP_UP = "step_up_code"
    ENROLMENT = "enrolment_code"


@dataclass(frozen=True, slots=True)
class Sending:
    """The result of sending a code.

    Args:
        is_sent: Whether it was sent. If not, a limit was reached or the number is refused.
        expires_at: When the code expires, or ``None`` if none was sent.
    """

    is_sent: bool
    expires_at: datetime | None = None


def destination_of(factor: PhoneFactor | EmailFactor) -> Destination:
    """Return the destination of the codes of *factor*."""
    return Destination(factor.pk, factor.method, factor.destination, factor.hint)


def destination_of_owned_factor(user: UserLike, owned: OwnedFactor) -> Destination | None:
    """Return the destination of the codes of a factor of *user*, or ``None`` if it was removed meanwhile."""
    if owned.id == NO_ROW:
        address = mailbox_of(user)
        return Destination(NO_ROW, Method.EMAIL_CODE, address, masked_address(address)) if address else None
    factor = row_of(user, owned)
    return destination_of(factor) if isinstance(factor, PhoneFactor | EmailFactor) else None


def send_code(
    *, occasion: UUID, user: UserLike, destination: Destination, client: Client, what_for: Occasion = Occasion.LOGIN
) -> Sending:
    """Queue the code of *occasion* in the open transaction. It is sent after the commit.

    A reached limit withholds only the message. The login continues and offers the user's
    other factors.

    Args:
        occasion: The pending login or the enrolment.
        what_for: The purpose of the code, which the mail states.
    """
    try:
        _admit(destination, client)
    except (TooManyAttempts, NumberRefused) as refused:
        _record(MfaEvent.CODE_WITHHELD, user, destination, client, refused.code)
        return Sending(is_sent=False)
    sent = _live_code(occasion, user, destination.factor_id)
    if not sent.guesses_left:
        # No code of this occasion can be accepted any more.
        _record(MfaEvent.CODE_WITHHELD, user, destination, client, "exhausted")
        return Sending(is_sent=False)
    _post(sent, user, destination, client, what_for)
    SentCode.objects.filter(pk=sent.pk).update(sent=F("sent") + 1)
    _record(MfaEvent.CODE_SENT, user, destination, client, "")
    return Sending(is_sent=True, expires_at=sent.expires_at)


def check_code(sent: SentCode | None, code: str) -> str:
    """Spend a guess at a sent code, and the code if it is correct. Return why it is not accepted, or an empty string."""
    if sent is None:
        return "not_sent"
    if not sent.spend_guess():
        return "exhausted" if sent.is_live else "expired"
    if not same(sent.code, code):
        return "code"
    return "" if sent.spend() else "replayed"


def _admit(destination: Destination, client: Client) -> None:
    if destination.method is Method.SMS_CODE:
        sms_guard.admit(number=destination.to, client=client)
    else:
        limits.charge_within("code", client=client, destination=destination.to.casefold())


def _live_code(occasion: UUID, user: UserLike, factor_id: UUID) -> SentCode:
    """Return the row of an occasion with a live code. A new code does not renew the guesses."""
    new_row = SentCode(
        user_id=user.pk,
        occasion=occasion,
        factor_id=factor_id,
        code=new_code(DIGITS),
        expires_at=timezone.now() + LIFETIME,
    )
    SentCode.objects.bulk_create([new_row], ignore_conflicts=True)
    # Locked, because two concurrent resends would each write a code, and one would send a code that is not stored.
    row = SentCode.objects.select_for_update().get(occasion=occasion, factor_id=factor_id)
    if not row.is_live:
        row.code, row.spent_at, row.expires_at = new_code(DIGITS), None, timezone.now() + LIFETIME
        row.save(update_fields=["code", "spent_at", "expires_at"])
    return row


def _post(sent: SentCode, user: UserLike, destination: Destination, client: Client, what_for: Occasion) -> None:
    remaining = sent.expires_at - timezone.now()
    if destination.method is Method.SMS_CODE:
        post_text(template="code", number=destination.to, user=user, secret={"code": sent.code}, lifetime=remaining)
    else:
        notify(
            template=what_for.value,
            address=destination.to,
            user=user,
            client=client,
            secret={"code": sent.code},
            lifetime=remaining,
        )


def _record(name: MfaEvent, user: UserLike, destination: Destination, client: Client, reason: str) -> None:
    target = None if destination.factor_id == NO_ROW else ("factor", str(destination.factor_id))
    record(
        Event(
            name=name,
            subject=user,
            target=target,
            outcome=EventOutcome.DENIED if reason else EventOutcome.SUCCESS,
            reason=reason,
            client=client,
            data={"method": destination.method.value},
        )
    )
