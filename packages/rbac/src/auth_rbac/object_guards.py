"""Checks rows that an admin page writes without the functions of this package, before they are written.

Guardian's admin pages for object permissions write rows of its tables, and a site may show assignments as an
inline. These checks apply to requests of an admin site, like `auth_core.power_signals` for Django's models. Rows that
are deleted together with a person, a group or a role are not checked: that deletion was.
"""

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.db.models.signals import pre_delete, pre_save

from auth_core.authority import acting_person, check_superuser
from auth_core.users import UserLike
from auth_rbac.models import Assignment
from auth_rbac.permission_names import label_of
from auth_rbac.receivers import holding_models
from auth_rbac.roles import delegation
from auth_rbac.roles.assignments import scope_of

if TYPE_CHECKING:
    from django.db.models import Model


def connect_object_guards() -> None:
    """Connect to the signals of every table with grants to one person or one group."""
    for model in holding_models():
        for signal, receiver in ((pre_save, _row_saved), (pre_delete, _row_deleted)):
            signal.connect(receiver, sender=model, dispatch_uid=f"auth_rbac.guard.{model._meta.label}")


def _row_saved(sender: "type[Model]", instance: "Model", raw: bool = False, **kwargs: Any) -> None:
    if acting_person() is None or raw:
        return
    # A change takes away the old row's grant and adds the new one.
    stored = sender._base_manager.filter(pk=instance.pk).first()
    for row in (stored, instance):
        if row is not None:
            _check(acting_person(), row)


def _row_deleted(
    sender: "type[Model]", instance: "Model", origin: "Model | QuerySet[Any] | None" = None, **kwargs: Any
) -> None:
    deleted = origin.model if isinstance(origin, QuerySet) else type(origin)
    if acting_person() is not None and (origin is None or deleted is sender):
        _check(acting_person(), instance)


def _check(actor: UserLike | None, row: Any) -> None:
    """Refuse an actor who does not hold what *row* gives, in its scope.

    Raises:
        PermissionRefused: they do not, or the object is gone. Only a superuser may act on a row without an object.
    """
    if isinstance(row, Assignment):
        scope = scope_of(row)
        if row.scope_type_id is not None and scope is None:
            check_superuser(actor)
        delegation.require_all_of_roles(actor, [row.role], scope, until=row.valid_until)
        return
    if row.content_object is None:
        check_superuser(actor)
    delegation.require_permission(actor, label_of(row.permission), row.content_object)
