"""The second factors of a person, whatever their kind."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction

from auth_core.assurance import Assurance
from auth_core.events import AuthEvent, Event, record
from auth_core.evidence import SessionFacts, check_assurance
from auth_core.methods import Method
from auth_core.people import person_changed
from auth_mfa.conf import mfa
from auth_mfa.events import MfaEvent
from auth_mfa.models import TotpFactor

#: Where an instance of a user keeps the factors that a login has just read.
_READ = "_auth_mfa_factors"


def factors_of(user: Any) -> list[TotpFactor]:
    """Return what *user* has confirmed, the one used last first."""
    found = TotpFactor.objects.of(user).order_by("-last_used_at", "-pk")
    return list(found)


def read_factors(user: Any) -> list[TotpFactor]:
    """Return what *user* has confirmed, asked now; the answer of this login need not ask again."""
    factors = factors_of(user)
    setattr(user, _READ, factors)
    return factors


def factor_of(*, user: Any, factor_id: UUID) -> TotpFactor | None:
    """Return one confirmed factor of *user*; somebody else's is not found."""
    found: TotpFactor | None = TotpFactor.objects.of(user).filter(pk=factor_id).first()
    return found


def check_fresh_proof(*, user: Any, session: SessionFacts | None) -> None:
    """See that it is them who add or remove a factor: as much as they can prove, and proved lately (ASVS 7.5.1).

    Raises:
        NotAuthenticated: nobody is signed in.
        InsufficientUserAuthentication: too little was proved, or too long ago.
    """
    has_factor = TotpFactor.objects.of(user).exists()
    needed = Assurance.AAL2 if has_factor else Assurance.AAL1
    check_assurance(session, needed, mfa.PROOF_MAX_AGE)


def rename_factor(*, factor: TotpFactor, name: str) -> None:
    """Call a factor something else."""
    with transaction.atomic():
        TotpFactor.objects.filter(pk=factor.pk).update(name=name)
        record(Event(name=MfaEvent.FACTOR_RENAMED, subject=factor.user, target=("factor", str(factor.pk))))
        person_changed(factor.user_id)
    factor.name = name


def remove_factor(*, factor: TotpFactor, actor: Any = None, reason: str = "") -> bool:
    """Remove a factor, once; the person is told by mail. Say whether this caller was the one who did.

    Args:
        actor: Who removed it, when that is somebody else.
        reason: Closed word for the trail, such as ``administrator``.
    """
    with transaction.atomic():
        deleted, _by_model = TotpFactor.objects.filter(pk=factor.pk, confirmed=True).delete()
        if deleted:
            record(
                Event(
                    name=AuthEvent.FACTOR_REMOVED,
                    subject=factor.user,
                    actor=actor,
                    target=("factor", str(factor.pk)),
                    reason=reason,
                    data={"method": Method.TOTP.value},
                )
            )
            person_changed(factor.user_id)
    return bool(deleted)


def second_factors_part(user: Any) -> list[dict[str, str]]:
    """Return the snapshot part that says which factors *user* has."""
    # Taken out: whoever asks later in the same request asks the database.
    read: list[TotpFactor] | None = vars(user).pop(_READ, None)
    return [_told(factor) for factor in (factors_of(user) if read is None else read)]


def export_of(user: Any) -> list[dict[str, Any]]:
    """Return what belongs to *user* and is not secret."""
    moments: Iterable[TotpFactor] = factors_of(user)
    return [
        {**_told(factor), "created_at": factor.created_at, "last_used_at": factor.last_used_at} for factor in moments
    ]


def _told(factor: TotpFactor) -> dict[str, str]:
    return {"id": str(factor.pk), "method": Method.TOTP.value, "name": factor.name}
