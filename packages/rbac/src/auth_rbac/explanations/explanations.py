"""Explains a decision: every path to a yes or a no, and what is missing for a yes."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.db import models
from django.utils import timezone
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from auth_core.users import UserLike
from auth_rbac.decisions import decisions
from auth_rbac.decisions.decision import INACTIVE_SERVICE, SENTENCES, Decision, DecisionReason
from auth_rbac.holders.lookup import holder_of
from auth_rbac.holders.service_subject import ServiceSubject, Subject, assignments_reaching, kind_of_subject
from auth_rbac.models import Assignment, Holder, HolderKind, Role, Wildcard
from auth_rbac.permission_names import check_known, full_name, label_of, parts_of
from auth_rbac.roles import hierarchy
from auth_rbac.scopes import scopes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantPath:
    """One path from a person or a service to a permission or to its denial.

    Args:
        effect: ``allows`` or ``denies``.
        source: ``role``, ``object`` (a permission for this object) or ``alone`` (Django's own, without a role).
        statement: The permission, or a pattern that covers it.
        holder: Who holds the role or the permission: the subject, or a group of the person.
        group: The name of the group through which a person has it. Empty: not through a group.
        roles: From the assigned role to the role with the statement.
        assignment: The assignment of the role.
        scope: ``everywhere``, or ``app.model:key``.
        counts: Whether the path counts now and for this object.
        lacks: Why it does not count: ``not_begun``, ``over`` or ``elsewhere``.
    """

    effect: str
    source: str
    statement: str
    holder: Holder
    group: str = ""
    roles: tuple[str, ...] = ()
    assignment: Assignment | None = None
    scope: str = "everywhere"
    counts: bool = True
    lacks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A decision, and every path that leads to it."""

    decision: Decision
    permission: str
    subject: HolderKind = HolderKind.PERSON
    paths: tuple[GrantPath, ...] = ()
    granting_roles: tuple[str, ...] = field(
        default=(), metadata={"doc": "The roles that would grant the permission, if nothing grants it."}
    )

    @property
    def sentence(self) -> str:
        """The reason of the decision as a sentence."""
        if self.subject is HolderKind.SERVICE and self.decision.reason is DecisionReason.INACTIVE:
            return str(INACTIVE_SERVICE)
        return str(SENTENCES[self.decision.reason])


def explain(subject: Subject, permission: str, obj: models.Model | None = None) -> Explanation:
    """Return the decision of `decisions.check`, with every path to it and every path that does not count.

    Raises:
        InvalidRequest: the permission does not exist.
    """
    name = full_name(permission, None if obj is None else type(obj))
    check_known(name)
    decision = decisions.check(subject, name, obj)
    if subject.is_anonymous:
        return Explanation(decision=decision, permission=name)
    statements = _statements_by_role(name)
    paths = tuple(_paths_by_roles(subject, statements, obj))
    if not isinstance(subject, ServiceSubject):
        paths += tuple(_paths_without_roles(subject, name, obj))
    names: tuple[str, ...] = ()
    if decision.reason is DecisionReason.NOTHING:
        allowing = [role for role, each in statements.items() if any(effect == "allows" for effect, _text in each)]
        names = tuple(Role.objects.filter(pk__in=allowing).order_by("key").values_list("name", flat=True))
    return Explanation(
        decision=decision, permission=name, subject=kind_of_subject(subject), paths=paths, granting_roles=names
    )


def _statements_by_role(name: str) -> dict[UUID, list[tuple[str, str]]]:
    """Return what each role itself states about a permission: the effect, and the permission or pattern."""
    app, codename = parts_of(name)
    permissions = Permission.objects.filter(content_type__app_label=app, codename=codename)
    statements: dict[UUID, list[tuple[str, str]]] = {}
    for permission in permissions.select_related("content_type"):
        label = label_of(permission)
        for field_name, effect in (("permissions", "allows"), ("denials", "denies")):
            for role in Role.objects.filter(**{field_name: permission}).values_list("pk", flat=True):
                statements.setdefault(role, []).append((effect, label))
        models_covered = {"", permission.content_type.model}
        for wildcard in Wildcard.objects.filter(app_label=app, model__in=models_covered):
            effect = "denies" if wildcard.denies else "allows"
            statements.setdefault(wildcard.role_id, []).append((effect, wildcard.pattern))
    return statements


def _paths_by_roles(
    subject: Subject, statements: Mapping[UUID, list[tuple[str, str]]], obj: models.Model | None
) -> Iterator[GrantPath]:
    now = timezone.now()
    parents = hierarchy.parents_by_role()
    names = dict(Role.objects.values_list("pk", "name"))
    scopes = {(None, ""), *([] if obj is None else scopes_of(obj))}
    own, related = holder_of(subject), ("role", "group__rbac_identity", "granted_by__auth_identity")
    for assignment in assignments_reaching(subject).select_related(*related).order_by("pk"):
        lacks = _why_not_counted(assignment, scopes, now)
        for role, path in hierarchy.paths_up(assignment.role_id, parents).items():
            for effect, statement in statements.get(role, ()):
                yield GrantPath(
                    effect=effect,
                    source="role",
                    statement=statement,
                    holder=holder_of(assignment.group) if assignment.group else own,
                    group=assignment.group.name if assignment.group else "",
                    roles=tuple(names[step] for step in path),
                    assignment=assignment,
                    scope=assignment.scope,
                    counts=not lacks,
                    lacks=lacks,
                )


def _why_not_counted(assignment: Assignment, scopes: set[tuple[Any, str]], now: datetime) -> str:
    if assignment.valid_from > now:
        return "not_begun"
    if assignment.valid_until is not None and assignment.valid_until <= now:
        return "over"
    return "" if (assignment.scope_type_id, assignment.scope_id) in scopes else "elsewhere"


def _paths_without_roles(user: UserLike, name: str, obj: models.Model | None) -> Iterator[GrantPath]:
    """Yield what a person has without a role: for the object, or through Django's own tables."""
    app, codename = parts_of(name)
    permissions = Permission.objects.filter(content_type__app_label=app, codename=codename)
    groups = user.groups.select_related("rbac_identity") if hasattr(user, "groups") else ()
    own = holder_of(user)
    if obj is None:
        if hasattr(user, "user_permissions") and user.user_permissions.filter(pk__in=permissions).exists():
            yield GrantPath(effect="allows", source="alone", statement=name, holder=own)
        for group in groups:
            if group.permissions.filter(pk__in=permissions).exists():
                yield _path("alone", name, "everywhere", group)
        return
    scope = f"{obj._meta.label_lower}:{obj.pk}"
    if _has_row(get_user_obj_perms_model(obj), permissions, obj, user=user):
        yield GrantPath(effect="allows", source="object", statement=name, scope=scope, holder=own)
    for group in groups:
        if _has_row(get_group_obj_perms_model(obj), permissions, obj, group=group):
            yield _path("object", name, scope, group)


def _path(source: str, name: str, scope: str, group: Group) -> GrantPath:
    """Return the path through a permission of a group, without a role."""
    holder = holder_of(group)
    return GrantPath(effect="allows", source=source, statement=name, scope=scope, holder=holder, group=group.name)


def _has_row(model: Any, permissions: Collection[Any], obj: models.Model, **holder: Any) -> bool:
    rows = model.objects.filter(permission__in=permissions, **holder)
    if model.objects.is_generic():
        (kind, key), *_around = scopes_of(obj)
        return bool(rows.filter(content_type=kind, object_pk=key).exists())
    return bool(rows.filter(content_object=obj).exists())
