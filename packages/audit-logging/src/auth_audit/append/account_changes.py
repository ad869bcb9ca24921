"""Accounts and rights that a site changes in Django's own ways: commands, its views, relations and the shell.

Functions of auth_core and pages of the admin record their own events. These receivers record the rest: a created or
deleted account, a new password, the flags of an account, its groups and permissions, and the permissions of a group.

Statements that send no signal (``QuerySet.update``, ``bulk_create``) are not recorded. An account is saved before its
signal is sent, so the entry is in the transaction of the change only if the caller has opened one.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_save, pre_delete, pre_save

from auth_audit.append import admin_diffs
from auth_audit.events import AuditEvent
from auth_core.authority import acting_person
from auth_core.events import Event, is_recorded_by_caller, record
from auth_core.memo import Memo

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser

#: Columns of Django's user that are rights by themselves.
_FLAGS = ("is_active", "is_staff", "is_superuser")

#: On an account that is being saved: its stored flags.
_STORED_FLAGS: Memo[Mapping[str, Any]] = Memo("auth_audit.stored_flags")


def connect() -> None:
    """Connect the receivers to the user model, its proxies and children, and to the relations that hold rights."""
    user_model = get_user_model()
    for model in _with_kin(user_model):
        for signal, receiver in ((pre_save, _before_save), (post_save, _after_save), (pre_delete, _before_delete)):
            signal.connect(receiver, sender=model, dispatch_uid=f"auth_audit.{receiver.__name__}.{model._meta.label}")
    _connect_relation(user_model, "groups")
    _connect_relation(user_model, "user_permissions")
    if apps.is_installed("django.contrib.auth"):
        _connect_relation(apps.get_model("auth.Group"), "permissions")


def _with_kin(model: type[Model]) -> Iterable[type[Model]]:
    """Yield *model* and its subclasses. Django sends the class of the instance as the sender."""
    yield model
    for kin in model.__subclasses__():
        yield from _with_kin(kin)


def _is_recorded_elsewhere(model: type[Model], *, raw: bool = False) -> bool:
    return raw or is_recorded_by_caller() or admin_diffs.is_recorded(model)


# --- Accounts -----------------------------------------------------------------


def _before_save(
    sender: type[Model],
    instance: "AbstractBaseUser",
    raw: bool = False,
    update_fields: Collection[str] | None = None,
    **kwargs: Any,
) -> None:
    """Keep the stored flags. A login, which writes ``last_login``, makes no query."""
    flags = [name for name in _flags_of(sender) if update_fields is None or name in update_fields]
    if flags and not instance._state.adding and not _is_recorded_elsewhere(sender, raw=raw):
        stored = sender._base_manager.filter(pk=instance.pk).values(*flags).first()
        if stored is not None:
            _STORED_FLAGS.keep(instance, stored)


def _after_save(
    sender: type[Model], instance: "AbstractBaseUser", created: bool, raw: bool = False, **kwargs: Any
) -> None:
    stored = _STORED_FLAGS.take(instance) or {}
    if _is_recorded_elsewhere(sender, raw=raw):
        return
    if created:
        flags = {name: {"before": None, "after": getattr(instance, name)} for name in _flags_of(sender)}
        _record(AuditEvent.ACCOUNT_CREATED, instance, flags)
        return
    # Django keeps the new password until the account is saved. A hash that a login renews is no new password.
    if getattr(instance, "_password", None) is not None:
        _record(AuditEvent.PASSWORD_SET, instance)
    flags = {
        name: {"before": before, "after": getattr(instance, name)}
        for name, before in stored.items()
        if before != getattr(instance, name)
    }
    if flags:
        _record(AuditEvent.RIGHTS_CHANGED, instance, flags)


def _before_delete(sender: type[Model], instance: "AbstractBaseUser", **kwargs: Any) -> None:
    """Record a deletion while the account still has its public id."""
    if not _is_recorded_elsewhere(sender):
        _record(AuditEvent.ACCOUNT_DELETED, instance if hasattr(instance, "auth_identity") else None, target=instance)


def _flags_of(model: type[Model]) -> list[str]:
    columns = {field.name for field in model._meta.concrete_fields}
    return [name for name in _FLAGS if name in columns]


# --- Groups and permissions ----------------------------------------------------


def _connect_relation(model: type[Model], name: str) -> None:
    field = next((one for one in model._meta.many_to_many if one.name == name), None)
    if field is not None:
        through: Any = field.remote_field.through
        receiver = partial(_relation_changed, field)
        m2m_changed.connect(receiver, sender=through, weak=False, dispatch_uid=f"auth_audit.{through._meta.label}")


def _relation_changed(
    field: Any, instance: Model, action: str, reverse: bool, pk_set: Collection[Any] | None = None, **kwargs: Any
) -> None:
    """Record who gained or lost what. What is lost is read before, because Django also names rows that are not related."""
    if action not in ("post_add", "pre_remove", "pre_clear"):
        return
    # A page of the admin records the relations of its own objects, and not those of the objects that they belong to.
    if is_recorded_by_caller() or (not reverse and admin_diffs.is_recorded(type(instance))):
        return
    other, name = (field.model, field.name) if reverse else (field.related_model, field.related_query_name())
    related = {} if action == "post_add" else {name: instance}
    named = {} if pk_set is None else {"pk__in": pk_set}
    others = list(other._base_manager.filter(**related, **named))
    owners, rights = (others, [instance]) if reverse else ([instance], others)
    if not rights:
        return
    names = sorted(_name_of(right) for right in rights)
    change = {"before": [], "after": names} if action == "post_add" else {"before": names, "after": []}
    for owner in owners:
        subject = owner if isinstance(owner, get_user_model()) else None
        _record(AuditEvent.RIGHTS_CHANGED, subject, {field.name: change}, target=owner)


def _name_of(right: Any) -> str:
    """Return the name of a group, or of a permission as `has_perm` takes it."""
    return f"{right.content_type.app_label}.{right.codename}" if hasattr(right, "codename") else str(right)


def _record(
    name: AuditEvent, subject: Any, changes: Mapping[str, Any] | None = None, *, target: Model | None = None
) -> None:
    """Record the event. Its target names the row, because the account may have no public id."""
    row = subject if target is None else target
    with transaction.atomic():
        record(
            Event(
                name=name,
                subject=subject,
                actor=acting_person(),
                target=(row._meta.label_lower, str(row.pk)),
                changes=changes or {},
            )
        )
