"""Rows that an admin page writes past the functions of this package: asked about before they are written.

Guardian's pages for the permissions of single objects save rows of its tables, and a site may
show assignments as an inline of its own. As `auth_core.power_signals` does for Django's models,
this holds for a request of an admin site. Rows that go with a person, a group or a role that is
deleted are not asked about again: the deletion was.
"""

from typing import Any

from django.db.models import QuerySet
from django.db.models.signals import pre_delete, pre_save

from auth_core.authority import acting_person, check_superuser
from auth_rbac.models import Assignment
from auth_rbac.permission_names import label_of
from auth_rbac.receivers import holding_models
from auth_rbac.roles import delegation
from auth_rbac.roles.assignments import scope_of


def connect_object_guards() -> None:
    """Listen to every table that gives something to one person or one group."""
    for model in holding_models():
        for signal, heard in ((pre_save, _row_saved), (pre_delete, _row_deleted)):
            signal.connect(heard, sender=model, dispatch_uid=f"auth_rbac.guard.{model._meta.label}")


def _row_saved(sender: Any, instance: Any, raw: bool = False, **kwargs: Any) -> None:
    if acting_person() is None or raw:
        return
    # What a row said before is taken away, what it says now is given.
    stored = sender._base_manager.filter(pk=instance.pk).first()
    for row in (stored, instance):
        if row is not None:
            _check(acting_person(), row)


def _row_deleted(sender: Any, instance: Any, origin: Any = None, **kwargs: Any) -> None:
    deleted = origin.model if isinstance(origin, QuerySet) else type(origin)
    if acting_person() is not None and (origin is None or deleted is sender):
        _check(acting_person(), instance)


def _check(actor: Any, row: Any) -> None:
    """Refuse an actor who does not hold what *row* gives, where it gives it.

    Raises:
        PermissionRefused: they do not, or the object is gone and no one can be asked about it.
    """
    if isinstance(row, Assignment):
        scope = scope_of(row)
        if row.scope_type_id is not None and scope is None:
            check_superuser(actor)
        delegation.require_all_said_by(actor, [row.role], scope, until=row.valid_until)
        return
    if row.content_object is None:
        check_superuser(actor)
    delegation.require_permission(actor, label_of(row.permission), row.content_object)
