"""Decides whether a person or a service has a permission: everywhere, for one object, or for a page of objects.

A permission is allowed if anything allows it and nothing denies it. It is allowed by a role that is
held everywhere, in the scope of the object or in a scope around it, and by a permission for the
object. Without an object, Django's own permissions count as well. As in Django, an active superuser
has every permission. A service (`ServiceSubject`) has only its roles.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, TypeGuard

from django.db import models
from django.utils import timezone

from auth_core.users import UserLike
from auth_rbac.decisions import decision_cache
from auth_rbac.decisions.decision import ANONYMOUS, INACTIVE, SUPERUSER, Decision, DecisionReason
from auth_rbac.decisions.decision_cache import CachedDecisions, Everywhere
from auth_rbac.decisions.effects import NamedObjects, RoleEffects, effects_of
from auth_rbac.holders.service_subject import Subject, kind_of_subject
from auth_rbac.models import HolderKind
from auth_rbac.permission_names import full_name
from auth_rbac.scopes import around, keys_around, kind_of, scopes_by_keys, scopes_of
from auth_rbac.statements import sql
from auth_rbac.statements.query import fetch_everywhere
from auth_rbac.statements.rows import Effect, EverywhereRow, ScopeEffect


def check(subject: Subject, permission: str, obj: models.Model | None = None) -> Decision:
    """Decide whether *subject* has a permission, without a query if this instance asked before, else with one.

    The query about an object also reads what the roles of *subject* do with the permission in every scope. So a loop
    over objects takes one query if a role allows or denies the permission for them.

    Args:
        subject: Any user, or a service. The instance must not live longer than one request.
        permission: ``app.codename``. With an object also a verb, or a codename of its app.
        obj: The object. ``None``: everywhere.
    """
    if not subject.is_active:
        return ANONYMOUS if subject.is_anonymous else INACTIVE
    if getattr(subject, "is_superuser", False):
        return SUPERUSER
    cached = decision_cache.on_instance(subject)
    question = permission if obj is None else _question(permission, obj)
    if cached is not None:
        decision = cached.answers.get(question)
        if decision is not None and (decision.until is None or timezone.now() < decision.until):
            return decision
    if obj is None:
        return _check_everywhere(subject, permission)
    if cached is not None and full_name(permission, type(obj)) not in cached.role_effects:
        everywhere(subject)
    return _check_objects(subject, permission, [obj])[0]


def check_many(subject: Subject, permission: str, objects: Iterable[models.Model]) -> list[Decision]:
    """Decide for each of *objects*, which are of one model, with one query for all that is not cached.

    Raises:
        TypeError: they are of several models.
    """
    instances = list(objects)
    if len({type(obj) for obj in instances}) > 1:
        raise TypeError("All objects must be instances of the same model.")
    if not instances or not subject.is_active or getattr(subject, "is_superuser", False):
        return [check(subject, permission, obj) for obj in instances]
    return _check_objects(subject, permission, instances)


def check_existing(
    subject: Subject, permission: str, model: type[models.Model], keys: Sequence[Any]
) -> list[Decision | None]:
    """Decide for the objects of *model* with these primary keys, as `check_many`. ``None``: the object does not exist.

    It takes one query, which reads no object but finds the keys. *model* must not lie in other objects (`around`),
    because these are part of an object, and its default manager must not filter.
    """
    if not subject.is_active or getattr(subject, "is_superuser", False):
        existing = set(model._default_manager.filter(pk__in=keys).values_list("pk", flat=True))
        decision = SUPERUSER if subject.is_active else ANONYMOUS if subject.is_anonymous else INACTIVE
        return [decision if key in existing else None for key in keys]
    questions = [(permission, model, key) for key in keys]
    decisions = _query(subject, permission, model, questions, timezone.now(), finds_objects=True)
    return [decisions.get(question) for question in questions]


def everywhere(subject: Subject) -> Everywhere:
    """Return all that *subject* may and must not do everywhere, without a query if this instance has it."""
    now = timezone.now()
    cached = decision_cache.current(subject)
    if cached is None and decision_cache.remembered(subject) is not None:
        cached = decision_cache.verify(subject)
    if cached is not None and _is_current(cached.everywhere, now):
        return cached.everywhere
    rows = fetch_everywhere(subject, sql.everywhere(kind_of_subject(subject)), now)
    renewed = decision_cache.renew(subject, rows[0].versions)
    renewed.everywhere = _read_everywhere(rows)
    return renewed.everywhere


def _read_everywhere(rows: Sequence[EverywhereRow]) -> Everywhere:
    allowed: dict[str, DecisionReason] = {}
    denied: set[str] = set()
    scoped: dict[str, set[ScopeEffect]] = {}
    for row in rows:
        if row.permission is None or row.effect is None:
            continue
        if row.kind is not None:
            scoped.setdefault(row.permission, set()).add((row.kind, row.key, row.effect))
        elif row.effect is Effect.DENIES:
            denied.add(row.permission)
        elif row.effect is Effect.ALLOWS:
            allowed[row.permission] = DecisionReason.ROLE
        else:
            allowed.setdefault(row.permission, DecisionReason.ALONE)
    return Everywhere(
        allowed=allowed,
        denied=frozenset(denied),
        until=rows[0].until,
        scoped=scoped if rows[0].assignments <= sql.FEW_ASSIGNMENTS else None,
    )


def _check_everywhere(subject: Subject, permission: str) -> Decision:
    effects = everywhere(subject)
    reason = effects.allowed.get(permission, DecisionReason.NOTHING)
    if permission in effects.denied:
        reason = DecisionReason.DENIED
    cached = decision_cache.on_instance(subject)
    decision = Decision.of(reason, effects.until)
    return decision if cached is None else cached.remember(permission, decision)


def _check_objects(subject: Subject, permission: str, objects: Sequence[models.Model]) -> list[Decision]:
    """Decide from the cache where possible, and with one query for the rest."""
    now = timezone.now()
    cached = decision_cache.current(subject)
    model = type(objects[0])
    questions = [_question(permission, obj) for obj in objects]
    answers = {} if cached is None else _remembered(cached, questions, now)
    if cached is not None and (effects := _role_effects(cached, full_name(permission, model), now)):
        answers |= _by_roles(cached, effects, [each for each in questions if each not in answers])
    if unanswered := [each for each in questions if each not in answers]:
        answers |= _query(subject, permission, model, unanswered, now)
    return [answers[question] for question in questions]


def _query(
    subject: Subject,
    permission: str,
    model: type[models.Model],
    questions: Iterable[Any],
    now: datetime,
    *,
    finds_objects: bool = False,
) -> dict[Any, Decision]:
    """Decide with a query, and cache the decisions.

    Args:
        finds_objects: Whether to decide only for objects that exist.
    """
    scopes = _scopes_of_all(model, questions)
    keys = [key for _permission, _model, key, *_around in scopes]
    objects = NamedObjects(model, keys, {scope for object_scopes in scopes.values() for scope in object_scopes})
    name = full_name(permission, model)
    effects = effects_of(subject, name, objects, now, finds_objects=finds_objects)
    cached = decision_cache.renew(subject, effects.versions)
    if effects.by_roles is not None:
        cached.remember_roles(name, effects.by_roles)
    by_reason = {reason: Decision.of(reason, effects.until) for reason in DecisionReason}
    verdict = _Verdict(effects.effects)
    return cached.remember_all(
        {
            question: by_reason[verdict.on(object_scopes)]
            for question, object_scopes in scopes.items()
            if not finds_objects or object_scopes[0][1] in effects.existing
        }
    )


class _Verdict:
    """The result of effects for objects. A denial wins."""

    def __init__(self, effects: AbstractSet[ScopeEffect]) -> None:
        self._denied, self._allowed, self._objects = (
            {(kind, key) for kind, key, scope_effect in effects if scope_effect is effect}
            for effect in (Effect.DENIES, Effect.ALLOWS, Effect.ALLOWS_OBJECT)
        )

    def on(self, scopes: list[tuple[int, str]]) -> DecisionReason:
        """Return the result for an object in these scopes, of which its own is the first."""
        if (None, "") in self._denied or not self._denied.isdisjoint(scopes):
            return DecisionReason.DENIED
        if (None, "") in self._allowed or not self._allowed.isdisjoint(scopes):
            return DecisionReason.ROLE
        return DecisionReason.OBJECT if scopes[0] in self._objects else DecisionReason.NOTHING


def _role_effects(cached: CachedDecisions, name: str, now: datetime) -> RoleEffects | None:
    """Return what the roles do with ``app.codename`` in every scope, if it is cached.

    If the effects in single scopes are not known, a role that allows everywhere may be denied in one of them.
    """
    whole = cached.everywhere
    if _is_current(whole, now) and (whole.scoped is not None or name in whole.denied):
        effects: set[ScopeEffect] = set(() if whole.scoped is None else whole.scoped.get(name, ()))
        if name in whole.denied:
            effects.add((None, "", Effect.DENIES))
        if whole.allowed.get(name) is DecisionReason.ROLE:
            effects.add((None, "", Effect.ALLOWS))
        return RoleEffects(frozenset(effects), whole.until)
    cached_effects = cached.role_effects.get(name)
    return cached_effects if cached_effects is not None and not _is_over(cached_effects.until, now) else None


def _by_roles(cached: CachedDecisions, roles: RoleEffects, questions: Iterable[Any]) -> dict[Any, Decision]:
    """Decide what the roles alone decide. The rest needs a query of guardian's tables."""
    answers: dict[Any, Decision] = {}
    if not roles.effects:
        return answers
    verdict = _Verdict(roles.effects)
    for question in questions:
        reason = verdict.on(_scopes_in(question))
        if reason in {DecisionReason.DENIED, DecisionReason.ROLE}:
            answers[question] = cached.remember(question, Decision.of(reason, roles.until))
    return answers


def _remembered(cached: CachedDecisions, questions: Iterable[Any], now: datetime) -> dict[Any, Decision]:
    answers = ((question, cached.answers.get(question)) for question in questions)
    return {question: decision for question, decision in answers if decision and not _is_over(decision.until, now)}


def _is_current(effects: Everywhere | None, now: datetime) -> TypeGuard[Everywhere]:
    return effects is not None and not _is_over(effects.until, now)


def _is_over(until: datetime | None, now: datetime) -> bool:
    return until is not None and now >= until


def _question(permission: str, obj: models.Model) -> tuple[Any, ...]:
    """Return the cache key. It contains the objects around: an object that moves gets another key."""
    if obj.pk is None:
        raise ValueError("The object must be saved first: an unsaved object has no permissions.")
    return (permission, type(obj), obj.pk, *keys_around(obj))


def _scopes_of_all(model: type[models.Model], questions: Iterable[Any]) -> dict[Any, list[tuple[int, str]]]:
    """Return the scopes of each question, which are about objects of *model*."""
    if around(model):
        return {question: _scopes_in(question) for question in questions}
    kind = kind_of(model)
    return {question: [(kind, str(question[2]))] for question in questions}


def _scopes_in(question: tuple[Any, ...]) -> list[tuple[int, str]]:
    _permission, model, key, *keys = question
    return scopes_by_keys(model, key, keys)


def holds_all(user: UserLike, permissions: Iterable[str], obj: models.Model | None, moment: datetime) -> bool:
    """Tell whether *user* has all *permissions* at *moment*, as far as is known now. Nothing is cached."""
    if not user.is_active or getattr(user, "is_superuser", False):
        return bool(user.is_active)
    if obj is None:
        effects = _read_everywhere(fetch_everywhere(user, sql.everywhere(HolderKind.PERSON), moment))
        return all(name in effects.allowed and name not in effects.denied for name in permissions)
    scopes = scopes_of(obj)
    objects = NamedObjects(type(obj), [obj.pk], set(scopes))
    reasons = (_Verdict(effects_of(user, name, objects, moment).effects).on(scopes) for name in permissions)
    return all(reason in {DecisionReason.ROLE, DecisionReason.OBJECT} for reason in reasons)
