"""Changes made in the Django admin: values before and after, recorded in the transaction of the change.

Secret values are never recorded. The admin's own log names only fields, and anyone who may delete its rows can.
Model signals are connected only while a request of the admin is being processed. A receiver of deletion signals
makes Django load every row before deleting it, in the whole process.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import get_user_model
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save

from auth_audit.events import AuditEvent
from auth_audit.personal.secret_fields import HIDDEN, is_secret
from auth_core.events import Event, record
from auth_core.models import Identity
from auth_core.people.lookup import identity_of
from auth_core.users import UserLike

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


@dataclass
class _Recording:
    """The changes recorded for one request of the admin."""

    actor: Any
    models: frozenset[type[Model]]
    before: dict[tuple[type[Model], Any], Mapping[str, Any]] = field(default_factory=dict)


#: The admin's own log of changes. The name stands for the model, because a site may have no admin.
_LOG_OF_THE_ADMIN = "admin.LogEntry"

_recording: ContextVar[_Recording | None] = ContextVar("auth_audit_admin", default=None)
_lock = threading.Lock()
_active_requests = 0


@contextmanager
def recording_changes(model_admin: "ModelAdmin[Any]", actor: UserLike | None) -> Iterator[None]:
    """Record the changes inside the block, for models of the admin site and inlines of the page."""
    registered = set(model_admin.admin_site._registry)  # noqa: SLF001 - there is no public list of models
    models = registered | {inline.model for inline in model_admin.inlines}
    _recording.set(_Recording(actor, frozenset(model for model in models if not _is_log(model))))
    _listen(1)
    try:
        yield
    finally:
        _listen(-1)
        _recording.set(None)


def _is_log(model: type[Model]) -> bool:
    """Return whether *model* is a log of changes: the trail, or the admin's own log."""
    return model._meta.label == _LOG_OF_THE_ADMIN or model._meta.app_label == "auth_audit"


def _listen(more: int) -> None:
    """Add *more* to the number of active requests. The first connects the receivers, the last disconnects them."""
    global _active_requests
    with _lock:
        before, _active_requests = _active_requests, _active_requests + more
        if (before == 0) == (_active_requests == 0):
            return
        for signal, receiver in _RECEIVERS:
            if _active_requests:
                signal.connect(receiver, dispatch_uid=f"auth_audit.{receiver.__name__}")
            else:
                signal.disconnect(dispatch_uid=f"auth_audit.{receiver.__name__}")


def is_recorded(model: type[Model]) -> bool:
    """Return whether a request of the admin is being processed that records the changes of *model*."""
    return _recording_of(model) is not None


def _recording_of(model: type[Model]) -> _Recording | None:
    recording = _recording.get()
    return recording if recording is not None and model in recording.models else None


def _before_save(sender: type[Model], instance: Model, raw: bool = False, **kwargs: Any) -> None:
    recording = _recording_of(sender)
    if recording is None or raw:
        return
    stored = None if instance._state.adding else sender._base_manager.filter(pk=instance.pk).first()
    recording.before[sender, instance.pk] = _values(stored) if stored is not None else {}


def _after_save(sender: type[Model], instance: Model, created: bool, raw: bool = False, **kwargs: Any) -> None:
    recording = _recording_of(sender)
    if recording is None or raw:
        return
    before = recording.before.pop((sender, instance.pk), {})
    changes = _changes(sender, {} if created else before, _values(instance))
    if created or changes:
        _record(recording, AuditEvent.OBJECT_ADDED if created else AuditEvent.OBJECT_CHANGED, instance, changes)


def _before_delete(sender: type[Model], instance: Model, origin: Any = None, **kwargs: Any) -> None:
    person = _person_of(instance) if _recording_of(sender) is not None else None
    if person is not None:
        is_alone = getattr(origin, "model", type(origin)) is sender and not isinstance(instance, get_user_model())
        _remember_public_id(person, is_deleted=not is_alone)


def _after_delete(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    recording = _recording_of(sender)
    if recording is not None:
        _record(recording, AuditEvent.OBJECT_DELETED, instance, _changes(sender, _values(instance), {}))


def _relation_changed(
    sender: type[Model], instance: Model, action: str, reverse: bool, pk_set: set[Any] | None = None, **kwargs: Any
) -> None:
    recording = _recording_of(type(instance))
    if recording is None or reverse:
        return
    relation = next(field for field in instance._meta.many_to_many if field.remote_field.through is sender)
    key = (sender, instance.pk)
    related = sorted(str(pk) for pk in getattr(instance, relation.name).values_list("pk", flat=True))
    if action.startswith("pre_"):
        recording.before[key] = {relation.name: related}
    else:
        before = recording.before.pop(key, {}).get(relation.name, [])
        if before != related:
            changes = {relation.name: {"before": before, "after": related}}
            _record(recording, AuditEvent.OBJECT_CHANGED, instance, changes)


_RECEIVERS = (
    (pre_save, _before_save),
    (post_save, _after_save),
    (pre_delete, _before_delete),
    (post_delete, _after_delete),
    (m2m_changed, _relation_changed),
)


def _record(recording: _Recording, name: AuditEvent, instance: Model, changes: Mapping[str, Any]) -> None:
    target = (instance._meta.label_lower, str(instance.pk))
    record(Event(name=name, subject=_person_of(instance), actor=recording.actor, target=target, changes=changes))


def _person_of(instance: Model) -> UserLike | None:
    """Return the user that *instance* is, or that its only relation to a user leads to."""
    if isinstance(instance, get_user_model()):
        return cast("UserLike", instance)
    relations = [field for field in instance._meta.concrete_fields if _is_to_a_user(field)]
    return getattr(instance, relations[0].name, None) if len(relations) == 1 else None


def _remember_public_id(user: UserLike, *, is_deleted: bool) -> None:
    """Load the public id of *user*, which is deleted with the user.

    Args:
        user: The user, who may have no public id yet.
        is_deleted: Whether the user may be deleted as well. Then a new public id is not stored, because it would
            outlive the user. It is that of the entry alone.
    """
    if not is_deleted:
        identity_of(user)
    elif getattr(user, "auth_identity", None) is None:
        cast("Any", user).auth_identity = Identity(user=cast("Any", user))


def _is_to_a_user(field: Any) -> bool:
    return field.is_relation and field.related_model is not None and issubclass(field.related_model, get_user_model())


def _values(instance: Model) -> dict[str, Any]:
    """Return the values of all columns. They include columns that no form can change."""
    deferred = instance.get_deferred_fields()
    fields = [column for column in instance._meta.concrete_fields if column.attname not in deferred]
    return {column.name: _comparable(column.value_from_object(instance)) for column in fields}


def _comparable(value: object) -> Any:
    """Return a value in one comparable form. A time that a form returns in another zone is equal.

    The value is not truncated, so that a change at its end is found. The trail truncates it later.
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).isoformat()
    return value if value is None or isinstance(value, bool | int) else str(value)


def _changes(model: type[Model], before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: _change(model, name, before.get(name), after.get(name)) for name in names}


def _change(model: type[Model], name: str, before: object, after: object) -> dict[str, Any]:
    if is_secret(model, name):
        return {"before": None if before is None else HIDDEN, "after": None if after is None else HIDDEN}
    return {"before": before, "after": after}
