"""The second factors of a person, whatever their kind."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, F, Value
from django.utils import timezone

from auth_core.assurance.evidence import SessionFacts, check_assurance, fresh_evidence
from auth_core.assurance.levels import Assurance, Demand, can_reach_aal2
from auth_core.assurance.methods import Method
from auth_core.authority import check_over
from auth_core.errors import InsufficientUserAuthentication, NotAuthenticated, PermissionRefused
from auth_core.events import AuthEvent, Event, record
from auth_core.models import PendingLogin
from auth_core.people.lookup import person_changed
from auth_core.request.client import Client
from auth_mfa.conf import mfa
from auth_mfa.errors import LastFactor
from auth_mfa.events import MfaEvent
from auth_mfa.kinds import OwnedFactor
from auth_mfa.models import MODEL_OF, Factor, FactorHistory, RecoveryCodeSet, WebauthnChallenge
from auth_mfa.policy import Requirement, is_counted, requirement_of

#: The tables in which factors stand.
MODELS: tuple[type[Factor], ...] = tuple(dict.fromkeys(MODEL_OF.values()))

#: Where an instance of a user keeps the factors that a login has just read.
_READ = "_auth_mfa_factors"

_COLUMNS = ("pk", "kind", "name", "created_at", "last_used_at", "failures")


def factors_of(user: Any) -> list[OwnedFactor]:
    """Return what *user* has confirmed, in one query, the strongest kind first and recovery codes at the end."""
    first, *others = [_rows_of(model, user) for model in MODELS]
    held = [_held(*row) for row in first.union(*others, all=True)]
    return sorted(held, key=_rank)


def read_factors(user: Any) -> list[OwnedFactor]:
    """Return what *user* has confirmed, asked now; the answer of this login need not ask again."""
    held = factors_of(user)
    setattr(user, _READ, held)
    return held


def rows_of(user: Any) -> list[Factor]:
    """Return the rows of what *user* has confirmed, newest first; a query for each table, for lists and exports."""
    rows = [row for model in MODELS for row in model.objects.of(user)]
    return sorted(rows, key=lambda row: row.created_at, reverse=True)


def factor_of(*, user: Any, factor_id: UUID) -> Factor | None:
    """Return one confirmed factor of *user*; somebody else's is not found."""
    held = next((held for held in factors_of(user) if held.id == factor_id), None)
    return None if held is None else row_of(user, held)


def row_of(user: Any, held: OwnedFactor) -> Factor | None:
    """Return the row of a factor of *user*, with its person; ``None``: it was removed meanwhile."""
    found: Factor | None = MODEL_OF[held.method].objects.of(user).select_related("user").filter(pk=held.id).first()
    return found


def check_fresh_proof(*, user: Any, session: SessionFacts | None) -> None:
    """See that it is them who add or remove a factor: as much as they can prove, and proved lately (ASVS 7.5.1).

    Whoever had a factor and has it no more proves their mailbox beside the password: a
    thief of the password alone enrols nothing (SP 800-63B-4 section 4.1.2.1).

    Raises:
        NotAuthenticated: nobody is signed in.
        InsufficientUserAuthentication: too little was proved, or too long ago.
    """
    if session is None:
        raise NotAuthenticated
    demand = highest_reachable_demand(user)
    if not demand.is_met_by(fresh_evidence(session, mfa.PROOF_MAX_AGE)):
        raise InsufficientUserAuthentication(
            required_assurance=_NAMES[demand], max_age=mfa.PROOF_MAX_AGE, context_changed=bool(session.context_changed)
        )


def highest_reachable_demand(user: Any) -> Demand:
    """Return the most that *user* can prove."""
    methods = {held.method for held in factors_of(user)}
    if can_reach_aal2(methods):
        return Demand.AAL2
    if methods or FactorHistory.objects.had_factor(user):
        return Demand.SECOND_FACTOR
    return Demand.NONE


def rename_factor(*, factor: Factor, name: str, session: SessionFacts | None) -> None:
    """Call a factor something else.

    Any proof of *session* will do, however old, but not in another place than where it was
    proved: a thief of the session could give the owner's key the name of their own.

    Raises:
        NotAuthenticated: there is no session.
        InsufficientUserAuthentication: the session is used somewhere else than where it was proved.
    """
    check_assurance(session, Assurance.AAL1)
    with transaction.atomic():
        type(factor).objects.filter(pk=factor.pk).update(name=name)
        record(Event(name=MfaEvent.FACTOR_RENAMED, subject=factor.user, target=("factor", str(factor.pk))))
        person_changed(factor.user_id)
    factor.name = name


def remove_own_factor(*, factor: Factor, session: SessionFacts | None = None) -> bool:
    """Remove a factor for the person who has it; the caller has seen to a fresh proof.

    Args:
        session: In which they do it; whoever ends what rests on the factor leaves this one.

    Raises:
        LastFactor: policy asks for one, and there is no other; or it is the only way in of somebody without a password.
    """
    with transaction.atomic():
        # Two removals at once would each see the other's factor, and leave none.
        FactorHistory.objects.lock(factor.user)
        others = [held for held in factors_of(factor.user) if held.id != factor.pk]
        if _is_only_way_in(factor, others) or _is_last_that_counts(factor, others):
            raise LastFactor
        return remove_factor(factor=factor, session=None if session is None else session.id)


def remove_factor(*, factor: Factor, actor: Any = None, reason: str = "", session: UUID | None = None) -> bool:
    """Remove a factor, once; the person is told by mail. Say whether this caller was the one who did.

    Recovery codes go with the last factor that they stand in for.

    Args:
        actor: Who removed it, when that is somebody else.
        reason: Closed word for the trail, such as ``administrator``.
        session: Public id of the session in which its owner removed it.

    Raises:
        PermissionRefused: *actor* acts on somebody who holds more, or on themselves: see `reset_factors`.
    """
    _check_actor(actor, factor.user)
    return _removed(factor, actor=actor, reason=reason, session=session)


def _removed(factor: Factor, *, actor: Any, reason: str, session: UUID | None = None) -> bool:
    with transaction.atomic():
        # As of whoever takes all of them away: each would wait for a row that the other has deleted.
        FactorHistory.objects.lock(factor.user)
        deleted = type(factor).objects.filter(pk=factor.pk, confirmed=True).remove()
        if deleted:
            _record_removal(factor, actor, reason, session)
            # It may be removed because somebody else has it, who has proved it and waits with the rest of a login.
            PendingLogin.objects.end_all_of(factor.user, proved_with=str(factor.pk))
            if not has_what_codes_stand_in_for(factor.user):
                for sheet in RecoveryCodeSet.objects.of(factor.user).select_related("user"):
                    _removed(sheet, actor=actor, reason=reason, session=session)
            person_changed(factor.user_id)
    return bool(deleted)


def has_what_codes_stand_in_for(user: Any) -> bool:
    """Say whether *user* has a factor for which a recovery code may stand in.

    A code proves as much as such a factor: beside a mailbox alone it would be AAL2 for
    somebody who can never reach it (SP 800-63B-4 section 3.1.3).
    """
    return can_reach_aal2({held.method for held in factors_of(user)} - {Method.RECOVERY_CODE})


def reset_factors(*, user: Any, actor: Any, client: Client | None = None, reason: str = "administrator") -> int:
    """Take all second factors of *user* away, so that they may enrol as if they never had any; return how many went.

    For whoever lost them: an administrator has made sure who it is, by other means
    than this service. The person is told, and the trail names who did it.

    Args:
        actor: Who does it; nobody, where it is done from a shell.
        reason: Closed word for the trail.

    Raises:
        PermissionRefused: they would reset themselves: whoever holds the session of an administrator
            would get past the fresh proof with which one's own factors are removed. Or somebody who
            holds more than they do: they would open an account that may do more than theirs.
    """
    _check_actor(actor, user)
    with transaction.atomic():
        FactorHistory.objects.lock(user)
        removed = rows_of(user)
        for row in removed:
            _removed(row, actor=actor, reason="reset")
        for model in MODELS:
            model.objects.filter(user_id=user.pk).delete()
        WebauthnChallenge.objects.end_all_of(user)
        FactorHistory.objects.reset(user, at=timezone.now())
        record(Event(name=MfaEvent.FACTORS_RESET, subject=user, actor=actor, client=client, reason=reason))
        person_changed(user.pk)
    return len(removed)


def _check_actor(actor: Any, user: Any) -> None:
    if actor is not None and actor.pk == user.pk:
        raise PermissionRefused
    check_over(actor, user)


def second_factors_part(user: Any) -> list[dict[str, str]]:
    """Return the snapshot part that says which factors *user* has."""
    # Taken out: whoever asks later in the same request asks the database.
    read: list[OwnedFactor] | None = vars(user).pop(_READ, None)
    return [
        {"id": str(held.id), "method": held.method.value, "name": held.name}
        for held in (factors_of(user) if read is None else read)
    ]


def export_of(user: Any) -> list[dict[str, Any]]:
    """Return what belongs to *user* and is not secret."""
    return [
        {
            "id": str(held.id),
            "method": held.method.value,
            "name": held.name,
            "created_at": held.created_at,
            "last_used_at": held.last_used_at,
        }
        for held in factors_of(user)
    ]


#: What `reauthenticate/` is asked for.
_NAMES = {Demand.NONE: "aal1", Demand.SECOND_FACTOR: "second_factor", Demand.AAL2: "aal2"}


def _record_removal(factor: Factor, actor: Any, reason: str, session: UUID | None) -> None:
    record(
        Event(
            name=AuthEvent.FACTOR_REMOVED,
            subject=factor.user,
            actor=actor,
            session=session,
            target=("factor", str(factor.pk)),
            reason=reason,
            data={"method": Method(factor.method).value},
        )
    )


def _is_last_that_counts(factor: Factor, others: list[OwnedFactor]) -> bool:
    if not is_counted(Method(factor.method)) or any(is_counted(held.method) for held in others):
        return False
    return requirement_of(factor.user) is not Requirement.NONE


def _is_only_way_in(factor: Factor, others: list[OwnedFactor]) -> bool:
    is_passkey = Method(factor.method) is Method.PASSKEY
    has_other = factor.user.has_usable_password() or any(held.method is Method.PASSKEY for held in others)
    return is_passkey and not has_other


def _rows_of(model: type[Factor], user: Any) -> Any:
    """Return a person's factors of one table; those of which each row says its method have a column for it."""
    method = model.__dict__.get("method")
    kind = Value(method.value, CharField()) if isinstance(method, Method) else F("method")
    return model.objects.of(user).annotate(kind=kind).order_by().values_list(*_COLUMNS)


def _held(pk: UUID, method: str, name: str, created_at: Any, last_used_at: Any, failures: int) -> OwnedFactor:
    return OwnedFactor(
        id=pk,
        method=Method(method),
        name=name,
        created_at=created_at,
        last_used_at=last_used_at,
        is_exhausted=failures >= mfa.MAX_FAILURES,
    )


def _rank(held: OwnedFactor) -> tuple[int, float, float]:
    """Return the place of a factor: by strength, then the one a login used last, then the oldest.

    A weaker factor, or a spare of the same kind, never comes before what was asked so far.
    """
    used = 0.0 if held.last_used_at is None else -held.last_used_at.timestamp()
    added = 0.0 if held.created_at is None else held.created_at.timestamp()
    return _STRENGTH.index(held.method), used, added


#: The kinds, the one that phishing and interception hurt least first.
_STRENGTH = (
    Method.PASSKEY,
    Method.SECURITY_KEY,
    Method.TOTP,
    Method.SMS_CODE,
    Method.EMAIL_CODE,
    Method.RECOVERY_CODE,
)
