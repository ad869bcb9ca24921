"""Giving somebody a role, and taking it away; each with its event, in one transaction."""

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from auth_core.errors import Conflict, FieldError, InvalidRequest
from auth_core.events import Event, record
from auth_core.people import person_changed
from auth_rbac.events import RbacEvent
from auth_rbac.models import Assignment, Role


def assign_role(
    *,
    user: Any,
    role: Role,
    granted_by: Any = None,
    reason: str = "",
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> Assignment:
    """Let *user* hold *role* everywhere, from *valid_from* (now) until *valid_until* (for good).

    Raises:
        InvalidRequest: it would end before it begins.
        Conflict: the person holds the role already.
    """
    begins = valid_from or timezone.now()
    if valid_until is not None and valid_until <= begins:
        raise InvalidRequest(FieldError("valid_until", "before_beginning", _("This is before it begins.")))
    assignment = Assignment(
        user=user, role=role, granted_by=granted_by, reason=reason, valid_from=begins, valid_until=valid_until
    )
    try:
        with transaction.atomic():
            assignment.save(force_insert=True)
            _record(RbacEvent.ASSIGNMENT_GRANTED, assignment, actor=granted_by)
            person_changed(user.pk)
    except IntegrityError as error:
        raise Conflict from error
    return assignment


def revoke_role(*, assignment: Assignment, revoked_by: Any = None) -> bool:
    """Take a role away, once; say whether this caller was the one who did. It holds on the next request."""
    with transaction.atomic():
        deleted, _by_model = Assignment.objects.filter(pk=assignment.pk).delete()
        if deleted:
            _record(RbacEvent.ASSIGNMENT_REVOKED, assignment, actor=revoked_by)
            person_changed(assignment.user_id)
    return bool(deleted)


def _record(name: RbacEvent, assignment: Assignment, *, actor: Any) -> None:
    record(
        Event(
            name=name,
            subject=assignment.user,
            actor=actor,
            target=("assignment", str(assignment.pk)),
            data={"role": str(assignment.role_id)},
        )
    )
