"""Making, changing and deleting roles; each with its event, in one transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Permission
from django.db import IntegrityError
from django.utils.translation import gettext as _

from auth_core.errors import Conflict, FieldError, InvalidRequest, NotFound
from auth_core.events import Event, record
from auth_core.people.lookup import person_changed
from auth_rbac.conf import rbac
from auth_rbac.events import RbacEvent
from auth_rbac.models import Assignment, Role, RoleClosure, Wildcard
from auth_rbac.names import InvalidName, key_of
from auth_rbac.permission_names import label_of, pattern_parts
from auth_rbac.roles import delegation, hierarchy
from auth_rbac.roles.content import content_of
from auth_rbac.roles.last_administrator import keeping_an_administrator

#: What a role says, by kind, as people read it.
Said = dict[str, list[str]]


def create_role(
    *,
    name: str,
    description: str = "",
    permissions: Iterable[Permission] = (),
    denials: Iterable[Permission] = (),
    wildcards: Iterable[str] = (),
    denied_wildcards: Iterable[str] = (),
    parents: Iterable[Role] = (),
    actor: Any = None,
) -> Role:
    """Make a role.

    Args:
        wildcards: ``app.*`` or ``app.model.*``: everything there, also what comes later.
        parents: Roles whatever of which it says, too.
        actor: Who makes it: must hold all that it says. ``None``: the site.

    Raises:
        InvalidRequest: the name cannot be one, a pattern names nothing, or the parents make a chain too long.
        NotFound: one of the parents is gone.
        PermissionRefused: *actor* may not make roles, or holds less.
        Conflict: there is a role of this name, in whatever spelling.
    """
    role = Role(name=name, key=_key(name), description=description)
    wanted = _wanted(permissions, denials, wildcards, denied_wildcards, parents)
    try:
        with keeping_an_administrator():
            delegation.require(actor, "auth_rbac.add_role")
            _require_all(actor, [], wanted)
            role.save(force_insert=True)
            _write(role, wanted)
            said = {kind: {"after": found} for kind, found in said_by(role).items() if found or kind == "permissions"}
            _record(RbacEvent.ROLE_CREATED, role, actor, said)
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
    actor: Any = None,
) -> None:
    """Let *role* say this and nothing else of each kind that is given; it holds on the next request of its holders.

    Raises:
        InvalidRequest: a pattern names nothing; the parents close a cycle, or make a chain too long.
        NotFound: the role, or one of the parents, is gone.
        PermissionRefused: *actor* may not change roles, or does not hold, before the change, all that the role
            says before and all that it would say after.
        LastAdministrator: nobody could administer the site any more.
    """
    wanted = _wanted(permissions, denials, wildcards, denied_wildcards, parents)
    with keeping_an_administrator():
        delegation.require(actor, "auth_rbac.change_role")
        # Before anything is written: a role that the actor holds would lend the authority for its own change.
        _require_all(actor, [role], wanted)
        before = said_by(role)
        if description is not None and description != role.description:
            role.description = description
            role.save(update_fields=["description"])
        _write(role, wanted)
        after = said_by(role)
        changed = {
            kind: {"before": before[kind], "after": after[kind]} for kind in after if before[kind] != after[kind]
        }
        if changed:
            _record(RbacEvent.ROLE_CHANGED, role, actor, changed)
            _tell_holders(role)


def set_permissions(*, role: Role, permissions: Iterable[Permission], actor: Any = None) -> None:
    """Let *role* allow this by name and nothing else; arguments and refusals as in `change_role`."""
    change_role(role=role, permissions=permissions, actor=actor)


def delete_role(*, role: Role, actor: Any = None) -> None:
    """Delete a role; whoever holds it holds it no more, and roles below it say no more what it said.

    Raises:
        NotFound: the role is gone.
        PermissionRefused: *actor* may not delete roles, or holds less than it says.
        LastAdministrator: nobody could administer the site any more.
    """
    with keeping_an_administrator():
        delegation.require(actor, "auth_rbac.delete_role")
        _require_all(actor, [role], _Wanted())
        _tell_holders(role)
        said = {kind: {"before": found} for kind, found in said_by(role).items() if found or kind == "permissions"}
        _record(RbacEvent.ROLE_DELETED, role, actor, said)
        role.delete()


#: What `said_by` reads, to be read for many roles at once.
SAID = ("permissions__content_type", "denials__content_type", "wildcards", "edges_up")


def said_by(role: Role) -> Said:
    """Return what *role* says itself, by kind."""
    wildcards = list(role.wildcards.all())
    return {
        "permissions": labels_of(role),
        "denials": sorted(label_of(permission) for permission in role.denials.all()),
        "wildcards": sorted(wildcard.pattern for wildcard in wildcards if not wildcard.denies),
        "denied_wildcards": sorted(wildcard.pattern for wildcard in wildcards if wildcard.denies),
        "parents": sorted(str(edge.parent_id) for edge in role.edges_up.all()),
    }


def labels_of(role: Role) -> list[str]:
    """Return what *role* allows by name, as ``app.codename``."""
    return sorted(label_of(permission) for permission in role.permissions.all())


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a role shall contain, by kind; ``None``: that kind stays as it is."""

    permissions: list[Permission] | None = None
    denials: list[Permission] | None = None
    wildcards: list[str] | None = None
    denied_wildcards: list[str] | None = None
    parents: list[Role] | None = None


def _wanted(*kinds: Iterable[Any] | None) -> _Wanted:
    """Return the kinds as lists: they are read twice, once for the authority and once to be written."""
    return _Wanted(*(None if kind is None else list(kind) for kind in kinds))


def _require_all(actor: Any, roles: list[Role], wanted: _Wanted) -> None:
    """Refuse an actor who lacks something of what *roles* contain, or of what is wanted.

    What a changed role contains afterwards is what it keeps, which it contains before, and what is wanted.

    Raises:
        NotFound: a role is gone.
        PermissionRefused: they lack something.
    """
    concerned = {role.pk: role for role in [*roles, *(wanted.parents or ())]}
    if Role.objects.filter(pk__in=concerned).count() < len(concerned):
        raise NotFound
    permissions = [*(wanted.permissions or ()), *(wanted.denials or ())]
    patterns = [*(wanted.wildcards or ()), *(wanted.denied_wildcards or ())]
    delegation.require_all_said_by(actor, concerned.values(), more=content_of(permissions, patterns))


def _write(role: Role, wanted: _Wanted) -> None:
    if wanted.permissions is not None:
        role.permissions.set(wanted.permissions)
    if wanted.denials is not None:
        role.denials.set(wanted.denials)
    for patterns, denies in ((wanted.wildcards, False), (wanted.denied_wildcards, True)):
        if patterns is not None:
            _write_wildcards(role, patterns, denies=denies)
    if wanted.parents is not None:
        _write_parents(role, {parent.pk: parent for parent in wanted.parents})


def _write_wildcards(role: Role, patterns: Iterable[str], *, denies: bool) -> None:
    wanted = {pattern_parts(pattern) for pattern in patterns}
    there = {(row.app_label, row.model): row for row in role.wildcards.filter(denies=denies)}
    for place, row in there.items():
        if place not in wanted:
            row.delete()
    for app, model in sorted(wanted - set(there)):
        Wildcard(role=role, app_label=app, model=model, denies=denies).save(force_insert=True)


def _write_parents(role: Role, wanted: Mapping[Any, Role]) -> None:
    there = {edge.parent_id: edge.parent for edge in role.edges_up.select_related("parent")}
    for pk, parent in there.items():
        if pk not in wanted:
            hierarchy.unlink(child=role, parent=parent)
    for pk, parent in wanted.items():
        if pk not in there:
            hierarchy.link(child=role, parent=parent)


def _key(name: str) -> str:
    try:
        return key_of(name)
    except InvalidName as error:
        raise InvalidRequest(FieldError("name", error.code, _("This cannot be the name of a role."))) from error


def _tell_holders(role: Role) -> None:
    """Drop the snapshots of whoever is concerned; only where their versions are believed, for there may be thousands."""
    if rbac.TRUST_SNAPSHOTS:
        below = RoleClosure.objects.filter(ancestor=role).values("role")
        held = Assignment.objects.filter(role__in=below)
        in_person = held.filter(user__isnull=False).values_list("user_id", flat=True)
        by_group = held.filter(group__isnull=False).values_list("group__user", flat=True)
        for user_id in in_person.union(by_group):
            if user_id is not None:
                person_changed(user_id)


def _record(name: RbacEvent, role: Role, actor: Any, changes: Mapping[str, Any]) -> None:
    target = ("role", str(role.pk))
    record(Event(name=name, actor=actor, target=target, data={"role": str(role.pk)}, changes=changes))
