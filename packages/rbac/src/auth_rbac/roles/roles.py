"""Creates, changes and deletes roles. Each change is recorded in its transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Permission
from django.db import IntegrityError
from django.utils.translation import gettext as _

from auth_core.errors import Conflict, FieldError, InvalidRequest, NotFound
from auth_core.events import Event, record
from auth_core.people.lookup import person_changed
from auth_core.users import UserLike
from auth_rbac.conf import rbac
from auth_rbac.events import RbacEvent
from auth_rbac.models import Assignment, Role, RoleClosure, Wildcard
from auth_rbac.names import InvalidName, key_of
from auth_rbac.permission_names import label_of, pattern_parts
from auth_rbac.roles import delegation, hierarchy
from auth_rbac.roles.content import content_of
from auth_rbac.roles.last_administrator import keeping_an_administrator

#: The content of a role by kind, as people read it.
ContentByKind = dict[str, list[str]]


def create_role(
    *,
    name: str,
    description: str = "",
    permissions: Iterable[Permission] = (),
    denials: Iterable[Permission] = (),
    wildcards: Iterable[str] = (),
    denied_wildcards: Iterable[str] = (),
    parents: Iterable[Role] = (),
    actor: UserLike | None = None,
) -> Role:
    """Create a role.

    Args:
        wildcards: ``app.*`` or ``app.model.*``: every permission there, including future ones.
        parents: Roles whose content it inherits.
        actor: The person who creates it. They must hold all of its content. ``None``: the site.

    Raises:
        InvalidRequest: the name is not valid, a pattern names no app or model, or the chain of parents is too long.
        NotFound: one of the parents is gone.
        PermissionRefused: *actor* may not create roles, or holds less.
        Conflict: a role of this name exists, in any spelling.
    """
    role = Role(name=name, key=_key(name), description=description)
    content = _new_content(permissions, denials, wildcards, denied_wildcards, parents)
    try:
        with keeping_an_administrator():
            delegation.require(actor, "auth_rbac.add_role")
            _require_all(actor, [], content)
            role.save(force_insert=True)
            _write(role, content)
            _record(RbacEvent.ROLE_CREATED, role, actor, _changes(role, "after"))
    except IntegrityError as error:
        raise Conflict from error
    return role


def change_role(
    *,
    role: Role,
    description: str | None = None,
    permissions: Iterable[Permission] | None = None,
    denials: Iterable[Permission] | None = None,
    wildcards: Iterable[str] | None = None,
    denied_wildcards: Iterable[str] | None = None,
    parents: Iterable[Role] | None = None,
    actor: UserLike | None = None,
) -> None:
    """Replace each kind of content that is not ``None``. The change is in force on the next request of the holders.

    Raises:
        InvalidRequest: a pattern names no app or model, or the parents close a cycle or make a chain too long.
        NotFound: the role, or one of the parents, is gone.
        PermissionRefused: *actor* may not change roles. Or they do not hold, before the change, all content that the
            role has before and after it.
        LastAdministrator: the site would have no administrator.
    """
    content = _new_content(permissions, denials, wildcards, denied_wildcards, parents)
    with keeping_an_administrator():
        delegation.require(actor, "auth_rbac.change_role")
        # Before the write: a role that the actor holds would grant the authority for its own change.
        _require_all(actor, [role], content)
        before = content_by_kind(role)
        if description is not None and description != role.description:
            role.description = description
            role.save(update_fields=["description"])
        _write(role, content)
        after = content_by_kind(role)
        changed = {
            kind: {"before": before[kind], "after": after[kind]} for kind in after if before[kind] != after[kind]
        }
        if changed:
            _record(RbacEvent.ROLE_CHANGED, role, actor, changed)
            _drop_snapshots(role)


def set_permissions(*, role: Role, permissions: Iterable[Permission], actor: UserLike | None = None) -> None:
    """Replace the permissions that *role* allows by name. See `change_role` for the arguments and errors."""
    change_role(role=role, permissions=permissions, actor=actor)


def delete_role(*, role: Role, actor: UserLike | None = None) -> None:
    """Delete a role. Its holders lose it, and the roles below lose what they inherit from it.

    Raises:
        NotFound: the role is gone.
        PermissionRefused: *actor* may not delete roles, or holds less than the role contains.
        LastAdministrator: the site would have no administrator.
    """
    with keeping_an_administrator():
        delegation.require(actor, "auth_rbac.delete_role")
        _require_all(actor, [role], _NewContent())
        _drop_snapshots(role)
        _record(RbacEvent.ROLE_DELETED, role, actor, _changes(role, "before"))
        role.delete()


#: The relations that `content_by_kind` reads, to prefetch them for many roles.
CONTENT_RELATIONS = ("permissions__content_type", "denials__content_type", "wildcards", "edges_up")


def content_by_kind(role: Role) -> ContentByKind:
    """Return the content of *role* itself, without what it inherits."""
    wildcards = list(role.wildcards.all())
    return {
        "permissions": labels_of(role),
        "denials": sorted(label_of(permission) for permission in role.denials.all()),
        "wildcards": sorted(wildcard.pattern for wildcard in wildcards if not wildcard.denies),
        "denied_wildcards": sorted(wildcard.pattern for wildcard in wildcards if wildcard.denies),
        "parents": sorted(str(edge.parent_id) for edge in role.edges_up.all()),
    }


def labels_of(role: Role) -> list[str]:
    """Return the permissions that *role* allows by name, as ``app.codename``."""
    return sorted(label_of(permission) for permission in role.permissions.all())


@dataclass(frozen=True, slots=True)
class _NewContent:
    """The new content of a role by kind. ``None``: that kind does not change."""

    permissions: list[Permission] | None = None
    denials: list[Permission] | None = None
    wildcards: list[str] | None = None
    denied_wildcards: list[str] | None = None
    parents: list[Role] | None = None


def _new_content(*kinds: Iterable[Any] | None) -> _NewContent:
    """Return the kinds as lists: they are read twice, for the authority and for the write."""
    return _NewContent(*(None if kind is None else list(kind) for kind in kinds))


def _changes(role: Role, moment: str) -> dict[str, dict[str, list[str]]]:
    """Return the content of a role for the event of its creation or deletion. Empty kinds are left out."""
    contents = content_by_kind(role).items()
    return {kind: {moment: content} for kind, content in contents if content or kind == "permissions"}


def _require_all(actor: UserLike | None, roles: list[Role], content: _NewContent) -> None:
    """Refuse an actor who does not hold the content of *roles* and the new content.

    That covers the content after the change: what a role keeps it also has before.

    Raises:
        NotFound: a role is gone.
        PermissionRefused: the actor lacks something.
    """
    concerned = {role.pk: role for role in [*roles, *(content.parents or ())]}
    if Role.objects.filter(pk__in=concerned).count() < len(concerned):
        raise NotFound
    permissions = [*(content.permissions or ()), *(content.denials or ())]
    patterns = [*(content.wildcards or ()), *(content.denied_wildcards or ())]
    delegation.require_all_of_roles(actor, concerned.values(), more=content_of(permissions, patterns))


def _write(role: Role, content: _NewContent) -> None:
    if content.permissions is not None:
        role.permissions.set(content.permissions)
    if content.denials is not None:
        role.denials.set(content.denials)
    for patterns, denies in ((content.wildcards, False), (content.denied_wildcards, True)):
        if patterns is not None:
            _write_wildcards(role, patterns, denies=denies)
    if content.parents is not None:
        _write_parents(role, {parent.pk: parent for parent in content.parents})


def _write_wildcards(role: Role, patterns: Iterable[str], *, denies: bool) -> None:
    new = {pattern_parts(pattern) for pattern in patterns}
    existing = {(row.app_label, row.model): row for row in role.wildcards.filter(denies=denies)}
    for pattern, row in existing.items():
        if pattern not in new:
            row.delete()
    for app, model in sorted(new - set(existing)):
        Wildcard(role=role, app_label=app, model=model, denies=denies).save(force_insert=True)


def _write_parents(role: Role, new: Mapping[Any, Role]) -> None:
    existing = {edge.parent_id: edge.parent for edge in role.edges_up.select_related("parent")}
    for pk, parent in existing.items():
        if pk not in new:
            hierarchy.unlink(child=role, parent=parent)
    for pk, parent in new.items():
        if pk not in existing:
            hierarchy.link(child=role, parent=parent)


def _key(name: str) -> str:
    try:
        return key_of(name)
    except InvalidName as error:
        raise InvalidRequest(FieldError("name", error.code, _("This name cannot be used for a role."))) from error


def _drop_snapshots(role: Role) -> None:
    """Drop the snapshots of all holders. It runs only if snapshots are trusted, because there may be thousands."""
    if rbac.TRUST_SNAPSHOTS:
        below = RoleClosure.objects.filter(ancestor=role).values("role")
        assignments = Assignment.objects.filter(role__in=below)
        in_person = assignments.filter(user__isnull=False).values_list("user_id", flat=True)
        by_group = assignments.filter(group__isnull=False).values_list("group__user", flat=True)
        for user_id in in_person.union(by_group):
            if user_id is not None:
                person_changed(user_id)


def _record(name: RbacEvent, role: Role, actor: UserLike | None, changes: Mapping[str, Any]) -> None:
    target = ("role", str(role.pk))
    record(Event(name=name, actor=actor, target=target, data={"role": str(role.pk)}, changes=changes))
