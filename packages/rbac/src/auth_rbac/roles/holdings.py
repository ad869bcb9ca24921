"""What a person holds by roles in one scope, now and later: their authority to give it to others.

Only roles count. Unlike a role, a permission of Django or of guardian does not reach the objects
inside a scope: a person who assigned a role on its strength would give more than they hold.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import Permission
from django.db import models
from django.db.models import Q

from auth_core.users import UserLike
from auth_rbac.models import Assignment
from auth_rbac.roles.content import NOTHING, Content, RoleContent, contents_of
from auth_rbac.scopes import may_overlap, scopes_of


@dataclass(frozen=True, slots=True)
class Holding:
    """The content of a role that a person holds for a time.

    Args:
        covers: Whether it is in force in the whole scope. If not, only its denials count: the person must not
            give what is denied to them in a part of the scope.
    """

    content: RoleContent
    covers: bool
    begins: datetime
    ends: datetime | None

    def is_in_force(self, moment: datetime) -> bool:
        """Tell whether the assignment is in force at *moment*."""
        return self.begins <= moment and (self.ends is None or moment < self.ends)


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything that a person holds in one scope from *now* on."""

    now: datetime
    holdings: Collection[Holding]

    def have(self, required: Content, *, until: datetime | None) -> bool:
        """Tell whether the person holds all of *required*, from now to *until* without a gap.

        Args:
            until: The end, which is not included. ``None``: there is no end.
        """
        names = _models_by_name(required)
        return all(self._have_at(moment, names, required) for moment in self._moments(until))

    def _moments(self, until: datetime | None) -> set[datetime]:
        """Return now, and each moment before *until* at which an assignment begins or ends."""
        changes = {moment for each in self.holdings for moment in (each.begins, each.ends) if moment is not None}
        return {self.now} | {moment for moment in changes if moment > self.now and (until is None or moment < until)}

    def _have_at(self, moment: datetime, names: Mapping[str, set[str]], required: Content) -> bool:
        allowed = denied = NOTHING
        for holding in self.holdings:
            if holding.is_in_force(moment):
                denied |= holding.content.denied
                allowed |= holding.content.allowed if holding.covers else NOTHING
        return all(
            allowed.has(name, its_models) and not denied.has(name, its_models) for name, its_models in names.items()
        ) and all(allowed.has_pattern(pattern) and not denied.overlaps(pattern) for pattern in required.patterns)


def holdings_of(person: UserLike, obj: models.Model | None, now: datetime) -> Holdings:
    """Return what *person* holds in the scope of *obj* (``None``: everywhere), under the lock of the graph."""
    whole = {(None, ""), *([] if obj is None else scopes_of(obj))}
    lasting = Assignment.objects.reaching(person).filter(Q(valid_until=None) | Q(valid_until__gt=now))
    rows = list(lasting.values_list("role_id", "scope_type_id", "scope_id", "valid_from", "valid_until"))
    contents = contents_of({role for role, *_rest in rows})
    holdings = []
    for role, kind, key, begins, ends in rows:
        holding = Holding(contents.get(role, RoleContent()), (kind, key) in whole, begins, ends)
        if holding.covers or (holding.content.denied and may_overlap((kind, key), obj)):
            holdings.append(holding)
    return Holdings(now, holdings)


def _models_by_name(required: Content) -> dict[str, set[str]]:
    """Return each existing permission in *required* with its models."""
    apps = {name.partition(".")[0] for name in required.names} | {app for app, _model in required.patterns}
    models_of: dict[str, set[str]] = {name: set() for name in required.names}
    rows = Permission.objects.filter(content_type__app_label__in=apps)
    for app, model, codename in rows.values_list("content_type__app_label", "content_type__model", "codename"):
        models_of.setdefault(f"{app}.{codename}", set()).add(model)
    return {name: its_models for name, its_models in models_of.items() if required.has(name, its_models)}
