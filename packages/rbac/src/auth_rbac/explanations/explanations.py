"""Why may somebody, or why not? The whole way to every yes and no, and what is missing when the answer is no."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.db import models
from django.utils import timezone
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from auth_rbac.decisions import decisions
from auth_rbac.decisions.decision import SENTENCES, Decision, Reason
from auth_rbac.models import Assignment, Role, Wildcard
from auth_rbac.permission_names import check_known, full_name, label_of, parts_of
from auth_rbac.roles import hierarchy
from auth_rbac.scopes import scopes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way from a person to a permission.

    Args:
        effect: ``allows`` or ``denies``.
        source: ``role``, ``object`` (for this one alone) or ``alone`` (Django's own, without a role).
        said: What was said: the permission, or a pattern that covers it.
        group: The group by which it comes; empty: held in person.
        roles: From the role that is held to the one that says it.
        assignment: The assignment, where a role is held.
        scope: ``everywhere``, or ``app.model:key``.
        counts: Whether it counts now and for this object.
        lacks: Why it does not: ``not_begun``, ``over`` or ``elsewhere``.
    """

    effect: str
    source: str
    said: str
    group: str = ""
    roles: tuple[str, ...] = ()
    assignment: Assignment | None = None
    scope: str = "everywhere"
    counts: bool = True
    lacks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A decision, and everything it rests on."""

    decision: Decision
    permission: str
    ways: tuple[Way, ...] = ()
    granting_roles: tuple[str, ...] = field(default=(), metadata={"doc": "Roles that would let, when nothing does."})

    @property
    def sentence(self) -> str:
        """The decision as people read it."""
        return str(SENTENCES[self.decision.reason])


def explain(user: Any, permission: str, obj: models.Model | None = None) -> Explanation:
    """Return the decision of `decisions.check`, and every way that leads to it or nearly did.

    Raises:
        InvalidRequest: there is no such permission.
    """
    name = full_name(permission, None if obj is None else type(obj))
    check_known(name)
    decision = decisions.check(user, name, obj)
    if user.is_anonymous:
        return Explanation(decision=decision, permission=name)
    saying = _saying(name)
    ways = (*_by_roles(user, saying, obj), *_without_roles(user, name, obj))
    names: tuple[str, ...] = ()
    if decision.reason is Reason.NOTHING:
        allowing = [role for role, said in saying.items() if any(effect == "allows" for effect, _what in said)]
        names = tuple(Role.objects.filter(pk__in=allowing).order_by("key").values_list("name", flat=True))
    return Explanation(decision=decision, permission=name, ways=ways, granting_roles=names)


def _saying(name: str) -> dict[UUID, list[tuple[str, str]]]:
    """Return which roles say something of a permission themselves: its effect, and what was said."""
    app, codename = parts_of(name)
    wanted = Permission.objects.filter(content_type__app_label=app, codename=codename).select_related("content_type")
    said: dict[UUID, list[tuple[str, str]]] = {}
    for permission in wanted:
        label = label_of(permission)
        for field_name, effect in (("permissions", "allows"), ("denials", "denies")):
            for role in Role.objects.filter(**{field_name: permission}).values_list("pk", flat=True):
                said.setdefault(role, []).append((effect, label))
        models_covered = {"", permission.content_type.model}
        for wildcard in Wildcard.objects.filter(app_label=app, model__in=models_covered):
            effect = "denies" if wildcard.denies else "allows"
            said.setdefault(wildcard.role_id, []).append((effect, wildcard.pattern))
    return said


def _by_roles(user: Any, saying: Mapping[UUID, list[tuple[str, str]]], obj: models.Model | None) -> Iterator[Way]:
    now = timezone.now()
    up = hierarchy.parents_by_role()
    names = dict(Role.objects.values_list("pk", "name"))
    scopes = {(None, ""), *([] if obj is None else scopes_of(obj))}
    held = Assignment.objects.reaching(user).select_related("role", "group", "granted_by").order_by("pk")
    for assignment in held:
        lacks = _lack(assignment, scopes, now)
        for role, path in hierarchy.ways_up(assignment.role_id, up).items():
            for effect, said in saying.get(role, ()):
                yield Way(
                    effect=effect,
                    source="role",
                    said=said,
                    group=assignment.group.name if assignment.group else "",
                    roles=tuple(names[step] for step in path),
                    assignment=assignment,
                    scope=assignment.scope,
                    counts=not lacks,
                    lacks=lacks,
                )


def _lack(assignment: Assignment, scopes: set[tuple[Any, str]], now: datetime) -> str:
    if assignment.valid_from > now:
        return "not_begun"
    if assignment.valid_until is not None and assignment.valid_until <= now:
        return "over"
    return "" if (assignment.scope_type_id, assignment.scope_id) in scopes else "elsewhere"


def _without_roles(user: Any, name: str, obj: models.Model | None) -> Iterator[Way]:
    """Yield what somebody has without a role: for the object, or by Django's own tables."""
    app, codename = parts_of(name)
    wanted = Permission.objects.filter(content_type__app_label=app, codename=codename)
    groups = user.groups.all() if hasattr(user, "groups") else ()
    if obj is None:
        if hasattr(user, "user_permissions") and user.user_permissions.filter(pk__in=wanted).exists():
            yield Way(effect="allows", source="alone", said=name)
        for group in groups:
            if group.permissions.filter(pk__in=wanted).exists():
                yield Way(effect="allows", source="alone", said=name, group=group.name)
        return
    scope = f"{obj._meta.label_lower}:{obj.pk}"
    if _has_row(get_user_obj_perms_model(obj), wanted, obj, user=user):
        yield Way(effect="allows", source="object", said=name, scope=scope)
    for group in groups:
        if _has_row(get_group_obj_perms_model(obj), wanted, obj, group=group):
            yield Way(effect="allows", source="object", said=name, scope=scope, group=group.name)


def _has_row(model: Any, wanted: Any, obj: models.Model, **holder: Any) -> bool:
    rows = model.objects.filter(permission__in=wanted, **holder)
    if model.objects.is_generic():
        (kind, key), *_around = scopes_of(obj)
        return bool(rows.filter(content_type=kind, object_pk=key).exists())
    return bool(rows.filter(content_object=obj).exists())
