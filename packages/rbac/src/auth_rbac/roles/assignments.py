"""Giving a role to somebody or to a group, and taking it away; each with its event, in one transaction."""

from datetime import datetime
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from auth_core.errors import Conflict, FieldError, InvalidRequest
from auth_core.events import Event, record
from auth_core.people.lookup import person_changed
from auth_rbac.decisions.decision_cache import forget_instance
from auth_rbac.events import RbacEvent
from auth_rbac.models import Assignment, Role
from auth_rbac.models.version import lock_graph
from auth_rbac.roles import delegation
from auth_rbac.roles.last_administrator import keeping_an_administrator


def assign_role(
    *,
    role: Role,
    user: Any = None,
    group: Any = None,
    scope: models.Model | None = None,
    granted_by: Any = None,
    reason: str = "",
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> Assignment:
    """Let *user*, or everybody in *group*, hold *role* in *scope*, from *valid_from* until *valid_until*.

    Args:
        scope: The object in which it holds; ``None``: everywhere.
        granted_by: Who gives it: must hold all that the role says by roles of theirs, in all of the scope, from
            now until *valid_until*. ``None``: the site.
        valid_from: Now when left out.
        valid_until: The moment at which it holds no more; ``None``: until it is revoked.

    Raises:
        InvalidRequest: it would end before it begins, or does not say who is to hold it.
        PermissionRefused: *granted_by* may not give roles there, or holds less.
        Conflict: they hold the role there already.
    """
    assignment = Assignment(
        user=user, group=group, role=role, granted_by=granted_by, reason=reason,
        valid_from=valid_from or timezone.now(), valid_until=valid_until,
    )  # fmt: skip
    _check(assignment)
    _bind(assignment, scope)
    try:
        with transaction.atomic():
            _hold_authority(granted_by, "auth_rbac.add_assignment", role, scope, until=valid_until)
            assignment.save(force_insert=True)
            _record(assignment, actor=granted_by, is_granted=True)
    except IntegrityError as error:
        raise Conflict from error
    forget_instance(user)
    return assignment


def revoke_role(*, assignment: Assignment, revoked_by: Any = None) -> bool:
    """Take a role away, once; say whether this caller was the one who did. It holds on the next request.

    Raises:
        PermissionRefused: *revoked_by* may not take roles away there, or holds less than the role says. What
            the role denies they must hold until the assignment ends, because its holder gets it back.
        LastAdministrator: nobody could administer the site any more.
    """
    with keeping_an_administrator():
        scope = scope_of(assignment)
        _hold_authority(revoked_by, "auth_rbac.delete_assignment", assignment.role, scope, until=timezone.now())
        delegation.require_all_denied_by(revoked_by, [assignment.role], scope, until=assignment.valid_until)
        deleted, _by_model = Assignment.objects.filter(pk=assignment.pk).delete()
        if deleted:
            _record(assignment, actor=revoked_by, is_granted=False)
    forget_instance(assignment.user)
    return bool(deleted)


def scope_of(assignment: Assignment) -> models.Model | None:
    """Return the object an assignment is bound to; ``None``: everywhere, or the object is gone."""
    if assignment.scope_type is None:
        return None
    model = assignment.scope_type.model_class()
    return None if model is None else model._base_manager.filter(pk=assignment.scope_id).first()


def _check(assignment: Assignment) -> None:
    """Refuse what the database would refuse, in words."""
    end = assignment.valid_until
    if end is not None and end <= assignment.valid_from:
        raise InvalidRequest(FieldError("valid_until", "before_beginning", _("This is before it begins.")))
    if (assignment.user is None) == (assignment.group is None):
        raise InvalidRequest(FieldError("user", "one_holder", _("A person or a group, please.")))


def _bind(assignment: Assignment, scope: models.Model | None) -> None:
    """Bind it to an object."""
    if scope is not None:
        if scope.pk is None:
            raise ValueError("A scope is saved before somebody holds a role in it.")
        assignment.scope_type = ContentType.objects.get_for_model(scope)
        assignment.scope_id = str(scope.pk)


def _hold_authority(
    actor: Any, permission: str, role: Role, scope: models.Model | None, *, until: datetime | None
) -> None:
    """Refuse an actor who may not, while nobody changes what anybody holds."""
    if actor is None:
        return
    lock_graph()
    delegation.require(actor, permission, scope)
    delegation.require_all_said_by(actor, [role], scope, until=until)


def _record(assignment: Assignment, *, actor: Any, is_granted: bool) -> None:
    data = {"role": str(assignment.role_id), "scope": assignment.scope}
    if assignment.group_id is None:
        name = RbacEvent.ASSIGNMENT_GRANTED if is_granted else RbacEvent.ASSIGNMENT_REVOKED
        person_changed(assignment.user_id)
    else:
        name = RbacEvent.GROUP_GRANTED if is_granted else RbacEvent.GROUP_REVOKED
        data["group"] = str(assignment.group_id)
    target = ("assignment", str(assignment.pk))
    record(Event(name=name, subject=assignment.user, actor=actor, target=target, data=data))
