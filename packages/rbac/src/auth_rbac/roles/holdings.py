"""What a person holds by roles in one scope, now and later: the authority to give it.

Only roles count. A permission of Django's own or of guardian's does not reach the objects
inside a scope, and a role does: a person who gave a role from such a permission would give more.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Permission
from django.db import models
from django.db.models import Q

from auth_rbac.models import Assignment
from auth_rbac.roles.content import NOTHING, Content, RoleContent, contents_of
from auth_rbac.scopes import may_overlap, scopes_of


@dataclass(frozen=True, slots=True)
class Holding:
    """The content of a role that a person holds for a time.

    Args:
        covers: Whether it holds in the whole scope. If not, only what it denies counts: a denial for a
            part of the scope is a part that the person must not give.
    """

    content: RoleContent
    covers: bool
    begins: datetime
    ends: datetime | None

    def is_in_force(self, moment: datetime) -> bool:
        """Tell whether the assignment holds at *moment*."""
        return self.begins <= moment and (self.ends is None or moment < self.ends)


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything that a person holds in one scope from *now* on."""

    now: datetime
    holdings: Collection[Holding]

    def have(self, wanted: Content, *, until: datetime | None) -> bool:
        """Tell whether the person holds all of *wanted*, from now to *until* without a gap.

        Args:
            until: The end, which does not count itself; ``None``: for good.
        """
        names = _models_by_name(wanted)
        return all(self._have_at(moment, names, wanted) for moment in self._moments(until))

    def _moments(self, until: datetime | None) -> set[datetime]:
        """Return now, and each moment before *until* at which an assignment begins or ends."""
        changes = {moment for held in self.holdings for moment in (held.begins, held.ends) if moment is not None}
        return {self.now} | {moment for moment in changes if moment > self.now and (until is None or moment < until)}

    def _have_at(self, moment: datetime, names: Mapping[str, set[str]], wanted: Content) -> bool:
        allowed = denied = NOTHING
        for held in self.holdings:
            if held.is_in_force(moment):
                denied |= held.content.denied
                allowed |= held.content.allowed if held.covers else NOTHING
        return all(
            allowed.has(name, its_models) and not denied.has(name, its_models) for name, its_models in names.items()
        ) and all(allowed.has_pattern(pattern) and not denied.overlaps(pattern) for pattern in wanted.patterns)


def holdings_of(person: Any, obj: models.Model | None, now: datetime) -> Holdings:
    """Return what *person* holds in the scope of *obj* (``None``: everywhere); the lock of the graph is held."""
    whole = {(None, ""), *([] if obj is None else scopes_of(obj))}
    lasting = Assignment.objects.reaching(person).filter(Q(valid_until=None) | Q(valid_until__gt=now))
    rows = list(lasting.values_list("role_id", "scope_type_id", "scope_id", "valid_from", "valid_until"))
    contents = contents_of({role for role, *_rest in rows})
    found = []
    for role, kind, key, begins, ends in rows:
        held = Holding(contents.get(role, RoleContent()), (kind, key) in whole, begins, ends)
        if held.covers or (held.content.denied and may_overlap((kind, key), obj)):
            found.append(held)
    return Holdings(now, found)


def _models_by_name(wanted: Content) -> dict[str, set[str]]:
    """Return each permission that is in *wanted* now, with the models that it belongs to."""
    apps = {name.partition(".")[0] for name in wanted.names} | {app for app, _model in wanted.patterns}
    there: dict[str, set[str]] = {name: set() for name in wanted.names}
    rows = Permission.objects.filter(content_type__app_label__in=apps)
    for app, model, codename in rows.values_list("content_type__app_label", "content_type__model", "codename"):
        there.setdefault(f"{app}.{codename}", set()).add(model)
    return {name: its_models for name, its_models in there.items() if wanted.has(name, its_models)}
