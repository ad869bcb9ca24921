"""The second factors of a user, of all kinds."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, F, Value
from django.utils import timezone

from auth_core.assurance.evidence import SessionFacts, check_assurance, fresh_evidence
from auth_core.assurance.levels import Assurance, Demand, can_reach_aal2, strictest_demand_of
from auth_core.assurance.methods import WEBAUTHN_METHODS, Method
from auth_core.authority import check_over
from auth_core.errors import InsufficientUserAuthentication, NotAuthenticated, PermissionRefused
from auth_core.events import AuthEvent, Event, record
from auth_core.memo import Memo
from auth_core.models import PendingLogin
from auth_core.people.lookup import can_sign_in_without, person_changed
from auth_core.registries import Occasion, PersonRead
from auth_core.request.client import Client
from auth_core.users import UserLike
from auth_mfa.conf import mfa
from auth_mfa.errors import LastFactor
from auth_mfa.events import MfaEvent
from auth_mfa.kinds import OwnedFactor
from auth_mfa.models import MODEL_OF, Factor, FactorHistory, RecoveryCodeSet, WebauthnChallenge
from auth_mfa.policy import Requirement, is_counted, requirement_of

#: The models of factors, one for each table.
MODELS: tuple[type[Factor], ...] = tuple(dict.fromkeys(MODEL_OF.values()))

#: On a user: the factors that a login has just read.
_READ: Memo[list[OwnedFactor]] = Memo("auth_mfa.factors")

#: On a user: the factors that were read together with what other packages need (`FACTORS_READ`).
_READ_TOGETHER: Memo[list[OwnedFactor]] = Memo("auth_mfa.factors_read_together")

_COLUMNS = ("pk", "kind", "name", "created_at", "last_used_at", "failures")


def factors_of(user: UserLike) -> list[OwnedFactor]:
    """Return the confirmed factors of *user* in one query, the strongest kind first, recovery codes last."""
    first, *others = [_rows_of(model, user) for model in MODELS]
    factors = [_owned_factor(*row) for row in first.union(*others, all=True)]
    return sorted(factors, key=_rank)


def read_factors(user: UserLike) -> list[OwnedFactor]:
    """Return the confirmed factors of *user*, and keep them for the snapshot of the same login.

    The first call of a login makes no query if the login has read them together with what other packages need.
    """
    read = _READ_TOGETHER.take(user)
    factors = factors_of(user) if read is None else read
    _READ.keep(user, factors)
    return factors


def rows_of(user: UserLike) -> list[Factor]:
    """Return the rows of the confirmed factors of *user*, newest first. One query for each table."""
    rows = [row for model in MODELS for row in model.objects.of(user)]
    return sorted(rows, key=lambda row: row.created_at, reverse=True)


def factor_of(*, user: UserLike, factor_id: UUID) -> Factor | None:
    """Return one confirmed factor of *user*, or ``None``. A factor of another user is not found."""
    owned = next((owned for owned in factors_of(user) if owned.id == factor_id), None)
    return None if owned is None else row_of(user, owned)


def row_of(user: UserLike, owned: OwnedFactor) -> Factor | None:
    """Return the row of a factor of *user* with its user, or ``None`` if it was removed meanwhile."""
    row: Factor | None = MODEL_OF[owned.method].objects.of(user).select_related("user").filter(pk=owned.id).first()
    return row


def check_fresh_proof(*, user: UserLike, session: SessionFacts | None) -> None:
    """Require a fresh proof, as strong as *user* can give, to add or remove a factor (ASVS 7.5.1).

    A user who lost their factor proves their mailbox beside the password. A thief of the
    password alone can then enrol nothing (SP 800-63B-4 section 4.1.2.1).

    Raises:
        NotAuthenticated: the request is not signed in.
        InsufficientUserAuthentication: the proof is too weak or too old.
    """
    if session is None:
        raise NotAuthenticated
    demand = highest_reachable_demand(user)
    if not demand.is_met_by(fresh_evidence(session, mfa.PROOF_MAX_AGE)):
        raise InsufficientUserAuthentication(
            required_assurance=demand.wire_name,
            max_age=mfa.PROOF_MAX_AGE,
            context_changed=bool(session.context_changed),
        )


def highest_reachable_demand(user: UserLike) -> Demand:
    """Return the highest demand that *user* can meet."""
    demand = strictest_demand_of(owned.method for owned in factors_of(user))
    if demand is Demand.NONE and FactorHistory.objects.had_factor(user):
        return Demand.SECOND_FACTOR
    return demand


def rename_factor(*, factor: Factor, name: str, session: SessionFacts | None) -> None:
    """Rename a factor.

    The proof of *session* may be old, but its context must be unchanged. A thief of the
    session could otherwise give the owner's key the name of their own.

    Raises:
        NotAuthenticated: there is no session.
        InsufficientUserAuthentication: the context of the session changed since its proof.
    """
    check_assurance(session, Assurance.AAL1)
    with transaction.atomic():
        type(factor).objects.filter(pk=factor.pk).update(name=name)
        record(Event(name=MfaEvent.FACTOR_RENAMED, subject=factor.user, target=("factor", str(factor.pk))))
        person_changed(factor.user_id)
    factor.name = name


def remove_own_factor(*, factor: Factor, session: SessionFacts | None = None) -> bool:
    """Remove a factor for its owner. The caller has checked for a fresh proof.

    Args:
        session: The session of the owner. It stays open when the sessions that rest on the factor end.

    Raises:
        LastFactor: policy requires a factor and this is the last, or it is the only way to sign in
            of a user without a password.
    """
    with transaction.atomic():
        # Two concurrent removals would each see the other's factor, and leave none.
        FactorHistory.objects.lock(factor.user)
        others = [owned for owned in factors_of(factor.user) if owned.id != factor.pk]
        if _is_only_way_in(factor) or _is_last_that_counts(factor, others):
            raise LastFactor
        return remove_factor(factor=factor, session=None if session is None else session.id)


def remove_factor(
    *, factor: Factor, actor: UserLike | None = None, reason: str = "", session: UUID | None = None
) -> bool:
    """Remove a factor, once, and notify the user by mail. Return whether this call removed it.

    Recovery codes are removed with the last factor that they can replace.

    Args:
        actor: The administrator who removes it, or ``None`` if the owner does.
        reason: Closed word for the trail, such as ``administrator``.
        session: Public id of the session in which the owner removes it.

    Raises:
        PermissionRefused: *actor* acts on a user with more permissions or on themselves. See `reset_factors`.
    """
    _check_actor(actor, factor.user)
    return _remove(factor, actor=actor, reason=reason, session=session)


def _remove(factor: Factor, *, actor: UserLike | None, reason: str, session: UUID | None = None) -> bool:
    with transaction.atomic():
        # The same lock as in a reset. Each would otherwise wait for a row that the other has deleted.
        FactorHistory.objects.lock(factor.user)
        deleted = type(factor).objects.filter(pk=factor.pk, confirmed=True).remove()
        if deleted:
            _record_removal(factor, actor, reason, session)
            # Another person may have the factor, have proved it, and wait in an unfinished login.
            PendingLogin.objects.end_all_of(factor.user, proved_with=str(factor.pk))
            if not has_what_codes_stand_in_for(factor.user):
                for sheet in RecoveryCodeSet.objects.of(factor.user).select_related("user"):
                    _remove(sheet, actor=actor, reason=reason, session=session)
            person_changed(factor.user_id)
    return bool(deleted)


def has_what_codes_stand_in_for(user: UserLike) -> bool:
    """Return whether *user* has a factor that a recovery code may replace.

    A code proves as much as such a factor. With a mailbox as the only other factor it would
    give AAL2 to a user who can never reach AAL2 (SP 800-63B-4 section 3.1.3).
    """
    return can_reach_aal2({owned.method for owned in factors_of(user)} - {Method.RECOVERY_CODE})


def reset_factors(
    *, user: UserLike, actor: UserLike | None, client: Client | None = None, reason: str = "administrator"
) -> int:
    """Remove all second factors of *user*, who may then enrol as if they never had any. Return the number removed.

    For users who lost their factors. An administrator has verified their identity by other
    means than this service. The user is notified, and the trail names the administrator.

    Args:
        actor: The administrator, or ``None`` for a reset from a shell.
        reason: Closed word for the trail.

    Raises:
        PermissionRefused: *actor* would reset themselves, and so bypass the fresh proof that removing
            one's own factors needs. Or *user* has more permissions than *actor*, who could then open
            an account that may do more than their own.
    """
    _check_actor(actor, user)
    with transaction.atomic():
        FactorHistory.objects.lock(user)
        removed = rows_of(user)
        for row in removed:
            _remove(row, actor=actor, reason="reset")
        for model in MODELS:
            model.objects.filter(user_id=user.pk).delete()
        WebauthnChallenge.objects.end_all_of(user)
        FactorHistory.objects.reset(user, at=timezone.now())
        record(Event(name=MfaEvent.FACTORS_RESET, subject=user, actor=actor, client=client, reason=reason))
        person_changed(user.pk)
    return len(removed)


def _check_actor(actor: UserLike | None, user: UserLike) -> None:
    if actor is not None and actor.pk == user.pk:
        raise PermissionRefused
    check_over(actor, user)


def take_second_factors(user: UserLike) -> list[dict[str, str]]:
    """Return the snapshot part with the factors of *user*. A query, unless the same request has read them.

    They are taken for one use, because they may change later in the request.
    """
    just_read, read_together = _READ.take(user), _READ_TOGETHER.take(user)
    factors = just_read if just_read is not None else read_together
    return _part_of(factors_of(user) if factors is None else factors)


def _factors_sql(user: str) -> str:
    """Return a subquery for the factors of the person whose key is the SQL expression *user*, in PostgreSQL's SQL."""
    factors = " UNION ALL ".join(
        f"SELECT id, {_kind_in_sql(model)} AS kind, name, created_at, last_used_at, failures "  # noqa: S608 - names of our own models
        f"FROM {model._meta.db_table} WHERE confirmed AND user_id = {user}"
        for model in MODELS
    )
    columns = "json_build_array(id, kind, name, created_at, last_used_at, failures)"
    return f"SELECT json_agg({columns}) FROM ({factors}) AS factor"  # noqa: S608 - as above


def _keep_factors(user: UserLike, stored: list[list[Any]] | None) -> None:
    _READ_TOGETHER.keep(user, _owned_factors(stored))


def _history_sql(user: str) -> str:
    """Return a subquery for whether a person ever had a factor."""
    had_factor = f"user_id = {user} AND had_factor_since IS NOT NULL"
    return f"SELECT to_json(EXISTS (SELECT 1 FROM {FactorHistory._meta.db_table} WHERE {had_factor}))"  # noqa: S608 - as above


def _keep_history(user: UserLike, stored: bool) -> None:
    FactorHistory.objects.keep(user, had_factor=stored)


#: The factors of a person, for `read_factors` and `take_second_factors`.
FACTORS_READ = PersonRead(
    occasions=frozenset({Occasion.SESSION, Occasion.LOGIN}), models=lambda: MODELS, sql=_factors_sql, keep=_keep_factors
)

#: Whether a person ever had a factor, for `FactorHistory.objects.had_factor`.
HISTORY_READ = PersonRead(
    occasions=frozenset({Occasion.LOGIN}), models=lambda: (FactorHistory,), sql=_history_sql, keep=_keep_history
)


def _owned_factors(stored: list[list[Any]] | None) -> list[OwnedFactor]:
    factors = [
        _owned_factor(UUID(key), kind, name, _moment(created_at), _moment(last_used_at), failures)
        for key, kind, name, created_at, last_used_at, failures in stored or ()
    ]
    return sorted(factors, key=_rank)


def _part_of(factors: list[OwnedFactor]) -> list[dict[str, str]]:
    return [{"id": str(owned.id), "method": owned.method.value, "name": owned.name} for owned in factors]


def _kind_in_sql(model: type[Factor]) -> str:
    method = model.__dict__.get("method")
    return f"'{method.value}'" if isinstance(method, Method) else "method"


def _moment(stored: str | None) -> datetime | None:
    return None if stored is None else datetime.fromisoformat(stored)


def export_of(user: UserLike) -> list[dict[str, Any]]:
    """Return the data of *user* for an export, without secrets."""
    return [
        {
            "id": str(owned.id),
            "method": owned.method.value,
            "name": owned.name,
            "created_at": owned.created_at,
            "last_used_at": owned.last_used_at,
        }
        for owned in factors_of(user)
    ]


def _record_removal(factor: Factor, actor: UserLike | None, reason: str, session: UUID | None) -> None:
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
    if not is_counted(Method(factor.method)) or any(is_counted(other.method) for other in others):
        return False
    return requirement_of(factor.user) is not Requirement.NONE


def _is_only_way_in(factor: Factor) -> bool:
    return Method(factor.method) is Method.PASSKEY and not can_sign_in_without(factor.user, factor.pk)


def passkeys_of(user: UserLike) -> list[UUID]:
    """Return the public ids of the passkeys of *user*, each of which signs in without a password."""
    return [owned.id for owned in factors_of(user) if owned.method is Method.PASSKEY]


def _rows_of(model: type[Factor], user: UserLike) -> Any:
    """Return a user's factors of one table. The method is the model's, or a column of the row."""
    method = model.__dict__.get("method")
    kind = Value(method.value, CharField()) if isinstance(method, Method) else F("method")
    return model.objects.of(user).annotate(kind=kind).order_by().values_list(*_COLUMNS)


def _owned_factor(
    pk: UUID, method: str, name: str, created_at: datetime | None, last_used_at: datetime | None, failures: int
) -> OwnedFactor:
    return OwnedFactor(
        id=pk,
        method=Method(method),
        name=name,
        created_at=created_at,
        last_used_at=last_used_at,
        is_exhausted=failures >= mfa.MAX_FAILURES,
    )


def _rank(owned: OwnedFactor) -> tuple[int, float, float]:
    """Return the sort key of a factor: strength, then the most recent use, then age.

    A new factor that is weaker, or of the same kind, never comes before the one used so far.
    """
    used = 0.0 if owned.last_used_at is None else -owned.last_used_at.timestamp()
    added = 0.0 if owned.created_at is None else owned.created_at.timestamp()
    return _STRENGTH.index(owned.method), used, added


#: The kinds, most resistant to phishing and interception first.
_STRENGTH = (
    *WEBAUTHN_METHODS,
    Method.TOTP,
    Method.SMS_CODE,
    Method.EMAIL_CODE,
    Method.RECOVERY_CODE,
)
