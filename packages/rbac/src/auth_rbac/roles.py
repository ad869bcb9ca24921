"""Making, changing and deleting roles; each with its event, in one transaction."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from auth_core.errors import Conflict, FieldError, InvalidRequest
from auth_core.events import Event, record
from auth_core.people import person_changed
from auth_rbac.events import RbacEvent
from auth_rbac.models import Assignment, Role
from auth_rbac.names import InvalidName, key_of


def create_role(*, name: str, description: str = "", permissions: Iterable[Permission] = (), actor: Any = None) -> Role:
    """Make a role.

    Raises:
        InvalidRequest: the name cannot be one.
        Conflict: there is a role of this name, in whatever spelling.
    """
    role = Role(name=name, key=_key(name), description=description)
    try:
        with transaction.atomic():
            role.save(force_insert=True)
            role.permissions.set(permissions)
            _record(RbacEvent.ROLE_CREATED, role, actor, after=labels_of(role))
    except IntegrityError as error:
        raise Conflict from error
    return role


def set_permissions(*, role: Role, permissions: Iterable[Permission], actor: Any = None) -> None:
    """Let *role* do this and nothing else; it holds for everybody who has it on their next request."""
    with transaction.atomic():
        before = labels_of(role)
        role.permissions.set(permissions)
        after = labels_of(role)
        if before != after:
            _record(RbacEvent.ROLE_CHANGED, role, actor, before=before, after=after)
            _tell_holders(role)


def delete_role(*, role: Role, actor: Any = None) -> None:
    """Delete a role; whoever holds it holds it no more."""
    with transaction.atomic():
        _tell_holders(role)
        _record(RbacEvent.ROLE_DELETED, role, actor, before=labels_of(role))
        role.delete()


def labels_of(role: Role) -> list[str]:
    """Return what *role* may do, as ``app.codename``."""
    held = role.permissions.all()
    return sorted(f"{permission.content_type.app_label}.{permission.codename}" for permission in held)


def _key(name: str) -> str:
    try:
        return key_of(name)
    except InvalidName as error:
        raise InvalidRequest(FieldError("name", error.code, _("This cannot be the name of a role."))) from error


def _tell_holders(role: Role) -> None:
    for user_id in Assignment.objects.filter(role=role).values_list("user_id", flat=True).distinct().iterator():
        person_changed(user_id)


def _record(name: RbacEvent, role: Role, actor: Any, **changed: list[str]) -> None:
    target = ("role", str(role.pk))
    changes = {"permissions": changed}
    record(Event(name=name, actor=actor, target=target, data={"role": str(role.pk)}, changes=changes))
