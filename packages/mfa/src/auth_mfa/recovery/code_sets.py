"""The sheet of recovery codes: made as a whole, shown once, replaced as a whole."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from auth_core.assurance.evidence import SessionFacts
from auth_core.assurance.methods import Method
from auth_core.passwords.hash_slots import hash_slot
from auth_core.request.client import Client
from auth_mfa.enrolment import note_added, refuse_unoffered
from auth_mfa.errors import FactorNeeded
from auth_mfa.factors import has_what_codes_stand_in_for, remove_factor
from auth_mfa.models import FactorHistory, RecoveryCode, RecoveryCodeSet
from auth_mfa.recovery import recovery_codes

#: How long new codes wait for the page that shows them.
_UNREAD_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet, and the codes that stand on it; they are never shown again.

    Args:
        factor: The row; it keeps digests alone.
        codes: In groups of four, as they are printed.
    """

    factor: RecoveryCodeSet
    codes: tuple[str, ...] = field(repr=False)


def issue_sheet(
    *, user: Any, client: Client, session: SessionFacts | None = None, is_shown_later: bool = False
) -> Sheet:
    """Give *user* ten codes; those of the sheet before are good for nothing any more.

    The caller has seen to a fresh proof (`factors.check_fresh_proof`).

    Args:
        session: In which they ask; whoever ends what rests on the sheet before leaves this one.
        is_shown_later: Whether a page of this session shows them once (`take_unread_codes`). A page that
            showed them as the answer to its form would make ten others when it is reloaded.

    Raises:
        InvalidRequest: this site has no recovery codes.
        FactorNeeded: there is no second factor for which they could stand in.
        Unavailable: too much is hashed at this moment; the sheet before stays good.
    """
    refuse_unoffered(Method.RECOVERY_CODE)
    # Hashed before the transaction: ten argon2 digests would hold the person's lock for as long.
    salt, cost = recovery_codes.new_salt(), recovery_codes.cost()
    codes = tuple(recovery_codes.new_code() for _number in range(recovery_codes.CODES))
    with hash_slot():
        digests = [_digest(code, salt, cost) for code in codes]
    with transaction.atomic():
        FactorHistory.objects.lock(user)
        if not has_what_codes_stand_in_for(user):
            raise FactorNeeded
        before = sheet_of(user)
        if before is not None:
            # As any factor: it may be replaced because somebody else has it, and what rests on it ends.
            remove_factor(factor=before, reason="replaced", session=None if session is None else session.id)
        sheet: RecoveryCodeSet = RecoveryCodeSet.objects.create(
            user_id=user.pk,
            name=_("Recovery codes"),
            confirmed=True,
            salt=salt,
            cost=cost,
            left=len(codes),
            **(_unread(codes, session) if is_shown_later and session is not None else {}),
        )
        RecoveryCode.objects.bulk_create([RecoveryCode(sheet=sheet, digest=digest) for digest in digests])
        note_added(factor=sheet, user=user, client=client)
    return Sheet(sheet, codes)


def take_unread_codes(*, user: Any, session: SessionFacts) -> Sheet | None:
    """Return the sheet that *user* made in *session* a moment ago, once; ``None``: there is nothing new to show."""
    sheet = sheet_of(user)
    unread = "" if sheet is None else sheet.take_unread(session_id=session.id)
    return Sheet(sheet, tuple(json.loads(unread))) if sheet is not None and unread else None


def sheet_of(user: Any) -> RecoveryCodeSet | None:
    """Return the sheet that *user* has."""
    found: RecoveryCodeSet | None = RecoveryCodeSet.objects.of(user).select_related("user").first()
    return found


def _unread(codes: tuple[str, ...], session: SessionFacts) -> dict[str, Any]:
    return {"unread": json.dumps(codes), "unread_in": session.id, "unread_until": timezone.now() + _UNREAD_FOR}


def _digest(code: str, salt: str, cost: dict[str, int]) -> str:
    read = recovery_codes.read_code(code)
    if read is None:
        raise ValueError("A new code cannot be read: the alphabet and its reader differ.")
    return recovery_codes.digest_of(read, salt=salt, cost=cost)
