"""Deciding: may this person do that, everywhere, on one object, on a page of objects?

A permission is allowed when anything allows it (a role held everywhere, in the scope of the
object or of one around it; a permission for the object; without an object also Django's own)
and nothing denies it. An active superuser may do everything, as in Django.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeGuard

from django.db import models
from django.utils import timezone

from auth_rbac.decisions import decision_cache, sql
from auth_rbac.decisions.decision import ANONYMOUS, INACTIVE, SUPERUSER, Decision, Reason
from auth_rbac.decisions.decision_cache import Everywhere, Standing
from auth_rbac.decisions.effects import said_of
from auth_rbac.decisions.query import ask_of, moment_from
from auth_rbac.permission_names import full_name
from auth_rbac.scopes import keys_around, scopes_by_keys, scopes_of


def check(user: Any, permission: str, obj: models.Model | None = None) -> Decision:
    """Say whether *user* may: no query for what this instance was asked before, one otherwise.

    Once for each instance one more: a second object that is asked about may be the first of a loop, and what the
    roles of *user* say everywhere answers for all of them.

    Args:
        user: Anybody; an instance is taken to live for one request.
        permission: ``app.codename``; with an object also a verb or a codename of its app.
        obj: What it is to be done to; ``None``: everywhere.
    """
    if not user.is_active:
        return ANONYMOUS if user.is_anonymous else INACTIVE
    if getattr(user, "is_superuser", False):
        return SUPERUSER
    known = decision_cache.on_instance(user)
    question = permission if obj is None else _question(permission, obj)
    if known is not None:
        decision = known.answers.get(question)
        if decision is not None and (decision.until is None or timezone.now() < decision.until):
            return decision
    if obj is None:
        return _check_everywhere(user, permission)
    if known is not None:
        everywhere(user)
    return _check_objects(user, permission, [obj])[0]


def check_many(user: Any, permission: str, objects: Iterable[models.Model]) -> list[Decision]:
    """Say of each of *objects*, which are of one model, whether *user* may; one query for all that is not known.

    Raises:
        TypeError: they are of several models.
    """
    wanted = list(objects)
    if len({type(obj) for obj in wanted}) > 1:
        raise TypeError("Objects of one model, please.")
    if not wanted or not user.is_active or getattr(user, "is_superuser", False):
        return [check(user, permission, obj) for obj in wanted]
    return _check_objects(user, permission, wanted)


def everywhere(user: Any) -> Everywhere:
    """Return all that *user* may and must not do everywhere; no query where this instance knows."""
    now = timezone.now()
    known = decision_cache.verified(user)
    if known is None and decision_cache.remembered(user) is not None:
        known = decision_cache.verify(user)
    if known is not None and _is_current(known.everywhere, now):
        return known.everywhere
    rows = ask_of(user, sql.everywhere(), now)
    current = decision_cache.renew(user, decision_cache.versions_in(rows[0]))
    current.everywhere = _read_everywhere(rows, now)
    return current.everywhere


def _read_everywhere(rows: Sequence[tuple[Any, ...]], now: datetime) -> Everywhere:
    # Versions, next moment and number of assignments stand before it in every row.
    said = [(f"{app}.{codename}", *what) for app, codename, *what in (row[4:] for row in rows) if app is not None]
    alone = {name: Reason.ALONE for name, effect, _kind, _key in said if effect == sql.ALLOWS_ALONE}
    by_role = {name: Reason.ROLE for name, effect, kind, _key in said if effect == sql.ALLOWS and kind is None}
    scoped: dict[str, set[tuple[int, str, int]]] = {}
    for name, effect, kind, key in said:
        if kind is not None:
            scoped.setdefault(name, set()).add((kind, key, effect))
    return Everywhere(
        allowed=alone | by_role,
        denied=frozenset(name for name, effect, kind, _key in said if effect == sql.DENIES and kind is None),
        until=moment_from(rows[0][2], now),
        scoped=scoped if rows[0][3] <= sql.FEW_ASSIGNMENTS else None,
    )


def _check_everywhere(user: Any, permission: str) -> Decision:
    found = everywhere(user)
    reason = Reason.DENIED if permission in found.denied else found.allowed.get(permission, Reason.NOTHING)
    current = decision_cache.on_instance(user)
    decision = Decision.of(reason, found.until)
    return decision if current is None else current.remember(permission, decision)


def _check_objects(user: Any, permission: str, objects: Sequence[models.Model]) -> list[Decision]:
    """Answer from memory what can be, and ask for the rest at once."""
    now = timezone.now()
    known = decision_cache.verified(user)
    asked = [_question(permission, obj) for obj in objects]
    questions = dict(zip(asked, objects, strict=True))
    answers = {} if known is None else _remembered(known, questions, now)
    if known is not None and _is_current(known.everywhere, now):
        answers |= _by_roles(known, known.everywhere, [question for question in questions if question not in answers])
    unknown = {question: obj for question, obj in questions.items() if question not in answers}
    if unknown:
        answers |= _ask_about(user, permission, unknown, now)
    return [answers[question] for question in asked]


def _ask_about(user: Any, permission: str, unknown: Mapping[Any, models.Model], now: datetime) -> dict[Any, Decision]:
    """Ask, and remember."""
    objects = list(unknown.values())
    scopes = {question: _scopes_in(question) for question in unknown}
    found = {scope for places in scopes.values() for scope in places}
    told = said_of(user, full_name(permission, type(objects[0])), objects, found, now)
    current = decision_cache.renew(user, told.versions)
    return {
        question: current.remember(question, Decision.of(_reason(told.effects, places), told.until))
        for question, places in scopes.items()
    }


def _reason(said: set[tuple[Any, str, int]], scopes: list[tuple[int, str]]) -> Reason:
    """Return what follows from what was said, for an object in these scopes; a denial wins."""
    held: list[tuple[Any, str]] = [(None, ""), *scopes]
    if any((*scope, sql.DENIES) in said for scope in held):
        return Reason.DENIED
    if any((*scope, sql.ALLOWS) in said for scope in held):
        return Reason.ROLE
    return Reason.OBJECT if (*held[1], sql.ALLOWS_OBJECT) in said else Reason.NOTHING


def _by_roles(known: Standing, found: Everywhere, questions: Iterable[Any]) -> dict[Any, Decision]:
    """Answer what the roles alone decide, from what is known of them; of the rest guardian's tables are asked.

    Where too much is held in single scopes to be known, a role that allows everywhere may be denied in one of them.
    """
    answers = {}
    for question in questions:
        permission, model, *_keys = question
        name = full_name(permission, model)
        said: set[tuple[Any, str, int]] = set() if found.scoped is None else set(found.scoped.get(name, ()))
        if name in found.denied:
            said.add((None, "", sql.DENIES))
        elif found.scoped is None:
            continue
        if found.allowed.get(name) is Reason.ROLE:
            said.add((None, "", sql.ALLOWS))
        reason = _reason(said, _scopes_in(question)) if said else Reason.NOTHING
        if reason in {Reason.DENIED, Reason.ROLE}:
            answers[question] = known.remember(question, Decision.of(reason, found.until))
    return answers


def _remembered(known: Standing, questions: Iterable[Any], now: datetime) -> dict[Any, Decision]:
    found = ((question, known.answers.get(question)) for question in questions)
    return {question: decision for question, decision in found if decision and not _is_over(decision.until, now)}


def _is_current(found: Everywhere | None, now: datetime) -> TypeGuard[Everywhere]:
    return found is not None and not _is_over(found.until, now)


def _is_over(until: datetime | None, now: datetime) -> bool:
    return until is not None and now >= until


def _question(permission: str, obj: models.Model) -> tuple[Any, ...]:
    """Return under what an answer is remembered: with the objects around, an object that moved is another question."""
    if obj.pk is None:
        raise ValueError("An object that is not saved has no permissions.")
    return (permission, type(obj), obj.pk, *keys_around(obj))


def _scopes_in(question: tuple[Any, ...]) -> list[tuple[int, str]]:
    _permission, model, key, *keys = question
    return scopes_by_keys(model, key, keys)


def holds_all(user: Any, permissions: Iterable[str], obj: models.Model | None, moment: datetime) -> bool:
    """Say whether *user* may do all of that at *moment*, as far as is known now; nothing of it is remembered."""
    if not user.is_active or getattr(user, "is_superuser", False):
        return bool(user.is_active)
    if obj is None:
        found = _read_everywhere(ask_of(user, sql.everywhere(), moment), moment)
        return all(name in found.allowed and name not in found.denied for name in permissions)
    scopes = scopes_of(obj)
    reasons = (_reason(said_of(user, name, [obj], set(scopes), moment).effects, scopes) for name in permissions)
    return all(reason in {Reason.ROLE, Reason.OBJECT} for reason in reasons)
