"""Sheets of recovery codes: created, shown once and replaced as a whole."""

import json
from dataclasses import dataclass, field

from django.db import transaction
from django.utils.translation import gettext as _

from auth_core.assurance.evidence import SessionFacts
from auth_core.assurance.methods import Method
from auth_core.passwords.hash_slots import hash_slot
from auth_core.request.client import Client
from auth_core.users import UserLike
from auth_mfa.enrolment import note_added, refuse_unoffered
from auth_mfa.errors import FactorNeeded
from auth_mfa.factors import has_what_codes_stand_in_for, remove_factor
from auth_mfa.models import FactorHistory, RecoveryCode, RecoveryCodeSet
from auth_mfa.recovery import recovery_codes


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet with its codes, which are never shown again.

    Args:
        factor: The row, which stores only digests.
        codes: The codes in groups of four, as they are printed.
    """

    factor: RecoveryCodeSet
    codes: tuple[str, ...] = field(repr=False)


def issue_sheet(
    *, user: UserLike, client: Client, session: SessionFacts | None = None, is_shown_later: bool = False
) -> Sheet:
    """Give *user* ten codes. The codes of the previous sheet stop working.

    The caller has checked for a fresh proof (`factors.check_fresh_proof`).

    Args:
        session: The current session. It stays open when the sessions that rest on the previous sheet end.
        is_shown_later: Whether a page of this session shows the codes once (`take_unread_codes`). A page
            that showed them in its response to a form would create ten others on reload.

    Raises:
        InvalidRequest: this site does not offer recovery codes.
        FactorNeeded: the user has no second factor that codes could replace.
        Unavailable: too many hashes are computed at this moment. The previous sheet stays valid.
    """
    refuse_unoffered(Method.RECOVERY_CODE)
    # Hashed before the transaction, because ten argon2 digests would hold the user's lock for too long.
    salt, cost = recovery_codes.new_salt(), recovery_codes.cost()
    codes = tuple(recovery_codes.new_code() for _number in range(recovery_codes.CODES))
    with hash_slot():
        digests = [_digest(code, salt, cost) for code in codes]
    with transaction.atomic():
        FactorHistory.objects.lock(user)
        if not has_what_codes_stand_in_for(user):
            raise FactorNeeded
        previous = sheet_of(user)
        if previous is not None:
            # Removed like any factor. Another person may have the sheet, so sessions that rest on it end.
            remove_factor(factor=previous, reason="replaced", session=None if session is None else session.id)
        sheet = RecoveryCodeSet(
            user_id=user.pk, name=_("Recovery codes"), confirmed=True, salt=salt, cost=cost, left=len(codes)
        )
        if is_shown_later and session is not None:
            sheet.keep_unread(json.dumps(codes), session_id=session.id)
        sheet.save(force_insert=True)
        RecoveryCode.objects.bulk_create([RecoveryCode(sheet=sheet, digest=digest) for digest in digests])
        note_added(factor=sheet, user=user, client=client)
    return Sheet(sheet, codes)


def take_unread_codes(*, user: UserLike, session: SessionFacts) -> Sheet | None:
    """Return the unread sheet that *user* created in *session*, once, or ``None``."""
    sheet = sheet_of(user)
    unread = "" if sheet is None else sheet.take_unread(session_id=session.id)
    return Sheet(sheet, tuple(json.loads(unread))) if sheet is not None and unread else None


def sheet_of(user: UserLike) -> RecoveryCodeSet | None:
    """Return the current sheet of *user*."""
    sheet: RecoveryCodeSet | None = RecoveryCodeSet.objects.of(user).select_related("user").first()
    return sheet


def _digest(code: str, salt: str, cost: dict[str, int]) -> str:
    parsed = recovery_codes.read_code(code)
    if parsed is None:
        raise ValueError("A new code cannot be parsed. The alphabet and the parser differ.")
    return recovery_codes.digest_of(parsed, salt=salt, cost=cost)
