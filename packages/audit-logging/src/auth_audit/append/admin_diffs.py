"""What the Django admin changes: fields before and after, in the transaction of the change; secrets never.

The admin writes a log of its own, which names fields and not values, and which whoever
may delete rows may delete. Here Django's model signals are heard while a request of the
admin is at work, and only then: whoever listens to deletions makes Django read every
row before it deletes it, everywhere in the process.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save

from auth_audit.append.secret_fields import HIDDEN, is_secret
from auth_audit.events import AuditEvent
from auth_core.events import Event, record


@dataclass
class _Watch:
    """One request of the admin."""

    actor: Any
    models: frozenset[type[Model]]
    before: dict[tuple[type[Model], Any], Mapping[str, Any]] = field(default_factory=dict)


_watch: ContextVar[_Watch | None] = ContextVar("auth_audit_admin", default=None)
_lock = threading.Lock()
_watching = 0


@contextmanager
def watching(model_admin: Any, actor: Any) -> Iterator[None]:
    """Record what is changed inside, of the models that the admin site shows, and of the page's inlines."""
    registered = set(model_admin.admin_site._registry)  # noqa: SLF001 - there is no public list
    shown = registered | {inline.model for inline in model_admin.inlines}
    _watch.set(_Watch(actor, frozenset(model for model in shown if not _is_record(model))))
    _listen(1)
    try:
        yield
    finally:
        _listen(-1)
        _watch.set(None)


def _is_record(model: type[Model]) -> bool:
    """Say whether *model* is what is written about changes: the trail, and the admin's own log."""
    return model is LogEntry or model._meta.app_label == "auth_audit"


def _listen(more: int) -> None:
    """Count the requests that are at work; the first connects, the last disconnects."""
    global _watching
    with _lock:
        before, _watching = _watching, _watching + more
        if (before == 0) == (_watching == 0):
            return
        for signal, receiver in _RECEIVERS:
            if _watching:
                signal.connect(receiver, dispatch_uid=f"auth_audit.{receiver.__name__}")
            else:
                signal.disconnect(dispatch_uid=f"auth_audit.{receiver.__name__}")


def _watched(model: type[Model]) -> _Watch | None:
    watch = _watch.get()
    return watch if watch is not None and model in watch.models else None


def _before_save(sender: type[Model], instance: Model, raw: bool = False, **kwargs: Any) -> None:
    watch = _watched(sender)
    if watch is None or raw:
        return
    stored = None if instance._state.adding else sender._base_manager.filter(pk=instance.pk).first()
    watch.before[sender, instance.pk] = _values(stored) if stored is not None else {}


def _after_save(sender: type[Model], instance: Model, created: bool, raw: bool = False, **kwargs: Any) -> None:
    watch = _watched(sender)
    if watch is None or raw:
        return
    before = watch.before.pop((sender, instance.pk), {})
    changes = _changes(sender, {} if created else before, _values(instance))
    if created or changes:
        _record(watch, AuditEvent.OBJECT_ADDED if created else AuditEvent.OBJECT_CHANGED, instance, changes)


def _after_delete(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    watch = _watched(sender)
    if watch is not None:
        _record(watch, AuditEvent.OBJECT_DELETED, instance, _changes(sender, _values(instance), {}))


def _relation_changed(
    sender: type[Model], instance: Model, action: str, reverse: bool, pk_set: set[Any] | None = None, **kwargs: Any
) -> None:
    watch = _watched(type(instance))
    if watch is None or reverse:
        return
    relation = next(one for one in instance._meta.many_to_many if one.remote_field.through is sender)
    key = (sender, instance.pk)
    related = sorted(str(pk) for pk in getattr(instance, relation.name).values_list("pk", flat=True))
    if action.startswith("pre_"):
        watch.before[key] = {relation.name: related}
    else:
        before = watch.before.pop(key, {}).get(relation.name, [])
        if before != related:
            changes = {relation.name: {"before": before, "after": related}}
            _record(watch, AuditEvent.OBJECT_CHANGED, instance, changes)


_RECEIVERS = (
    (pre_save, _before_save),
    (post_save, _after_save),
    (post_delete, _after_delete),
    (m2m_changed, _relation_changed),
)


def _record(watch: _Watch, name: AuditEvent, instance: Model, changes: Mapping[str, Any]) -> None:
    target = (instance._meta.label_lower, str(instance.pk))
    record(Event(name=name, actor=watch.actor, target=target, changes=changes))


def _values(instance: Model) -> dict[str, Any]:
    """Return what the columns hold, as text: what a form could not have changed is told, too."""
    deferred = instance.get_deferred_fields()
    fields = [one for one in instance._meta.concrete_fields if one.attname not in deferred]
    return {one.name: _told(one.value_from_object(instance)) for one in fields}


def _told(value: Any) -> Any:
    """Return a value in one form: a moment that a form gives back in another zone was not changed.

    It is whole: a value that was changed at its end was changed. The trail cuts it and says so.
    """
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).isoformat()
    return value if value is None or isinstance(value, bool | int) else str(value)


def _changes(model: type[Model], before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: _change(model, name, before.get(name), after.get(name)) for name in names}


def _change(model: type[Model], name: str, before: Any, after: Any) -> dict[str, Any]:
    if is_secret(model, name):
        return {"before": None if before is None else HIDDEN, "after": None if after is None else HIDDEN}
    return {"before": before, "after": after}
