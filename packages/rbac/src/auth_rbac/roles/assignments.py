"""Assigns roles to people, groups and services, and revokes them. Each change is recorded in its transaction."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from auth_core.errors import Conflict, FieldError, InvalidRequest
from auth_core.events import Event, record
from auth_core.people.lookup import person_changed
from auth_core.users import UserLike
from auth_rbac.decisions.decision_cache import forget_instance
from auth_rbac.events import RbacEvent
from auth_rbac.models import Assignment, HolderKind, Role
from auth_rbac.models.version import lock_graph
from auth_rbac.roles import delegation
from auth_rbac.roles.last_administrator import keeping_an_administrator

if TYPE_CHECKING:
    from django.contrib.auth.models import Group

#: Of the three columns of holders, an assignment leaves two empty.
_OTHER_HOLDERS = 2


def assign_role(
    *,
    role: Role,
    user: UserLike | None = None,
    group: "Group | None" = None,
    service_id: UUID | None = None,
    scope: models.Model | None = None,
    granted_by: UserLike | None = None,
    reason: str = "",
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> Assignment:
    """Assign *role* to *user*, to everybody in *group* or to a service, from *valid_from* until *valid_until*.

    Args:
        service_id: The public id of a service. It must exist, and may be disabled.
        scope: The object in whose scope the role is in force. ``None``: everywhere.
        granted_by: The person who assigns it. They must hold all of the role's content by roles, in the whole scope,
            from now until *valid_until*. ``None``: the site.
        valid_from: Default: now.
        valid_until: The end, which is not included. ``None``: until it is revoked.

    Raises:
        InvalidRequest: the end is not after the beginning, there is not exactly one holder, or the service does not
            exist.
        PermissionRefused: *granted_by* may not assign roles there, or holds less.
        Conflict: the holder has the role there already.
    """
    assignment = Assignment(
        user=cast("Any", user), group=group, service_id=service_id, role=role, granted_by=cast("Any", granted_by), reason=reason,
        valid_from=valid_from or timezone.now(), valid_until=valid_until,
    )  # fmt: skip
    _check(assignment)
    _bind(assignment, scope)
    try:
        with transaction.atomic():
            _require_authority(granted_by, "auth_rbac.add_assignment", role, scope, until=valid_until)
            assignment.save(force_insert=True)
            _record(assignment, actor=granted_by, is_granted=True)
    except IntegrityError as error:
        raise Conflict from error
    forget_instance(user)
    return assignment


def revoke_role(*, assignment: Assignment, revoked_by: UserLike | None = None) -> bool:
    """Revoke an assignment, once. It ends with the next request. Return whether this call revoked it.

    Raises:
        PermissionRefused: *revoked_by* may not revoke roles there, or holds less than the role contains. They must
            hold what the role denies until the assignment ends, because its holder gets it back.
        LastAdministrator: the site would have no administrator.
    """
    with keeping_an_administrator():
        scope = scope_of(assignment)
        _require_authority(revoked_by, "auth_rbac.delete_assignment", assignment.role, scope, until=timezone.now())
        delegation.require_denials_of_roles(revoked_by, [assignment.role], scope, until=assignment.valid_until)
        deleted, _by_model = Assignment.objects.filter(pk=assignment.pk).delete()
        if deleted:
            _record(assignment, actor=revoked_by, is_granted=False)
    forget_instance(assignment.user)
    return bool(deleted)


def scope_of(assignment: Assignment) -> models.Model | None:
    """Return the object of an assignment. ``None``: the assignment is in force everywhere, or the object is gone."""
    if assignment.scope_type is None:
        return None
    model = assignment.scope_type.model_class()
    return None if model is None else model._base_manager.filter(pk=assignment.scope_id).first()


def _check(assignment: Assignment) -> None:
    """Refuse with a message what the constraints of the database would refuse."""
    end = assignment.valid_until
    if end is not None and end <= assignment.valid_from:
        raise InvalidRequest(FieldError("valid_until", "before_beginning", _("The end must be after the beginning.")))
    if [assignment.user_id, assignment.group_id, assignment.service_id].count(None) != _OTHER_HOLDERS:
        raise InvalidRequest(FieldError("holder", "one_holder", _("Choose one person, one group or one service.")))


def _bind(assignment: Assignment, scope: models.Model | None) -> None:
    """Bind an assignment to an object."""
    if scope is not None:
        if scope.pk is None:
            raise ValueError("The scope must be saved before a role is assigned in it.")
        assignment.scope_type = ContentType.objects.get_for_model(scope)
        assignment.scope_id = str(scope.pk)


def _require_authority(
    actor: UserLike | None, permission: str, role: Role, scope: models.Model | None, *, until: datetime | None
) -> None:
    """Refuse an actor without authority, under the lock of the graph, so that it does not change meanwhile."""
    if actor is None:
        return
    lock_graph()
    delegation.require(actor, permission, scope)
    delegation.require_all_of_roles(actor, [role], scope, until=until)


def _record(assignment: Assignment, *, actor: UserLike | None, is_granted: bool) -> None:
    name = RbacEvent.ASSIGNMENT_GRANTED if is_granted else RbacEvent.ASSIGNMENT_REVOKED
    holder, target = assignment.holder, ("assignment", str(assignment.pk))
    data = {"role": str(assignment.role_id), "scope": assignment.scope, **holder.to_event()}
    if holder.kind is HolderKind.PERSON:
        person_changed(assignment.user_id)
    record(Event(name=name, subject=assignment.user, actor=actor, target=target, data=data))
