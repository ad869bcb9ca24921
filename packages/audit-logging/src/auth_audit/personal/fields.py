"""Personal values: which of the values of an event are encrypted under a key that can be dropped.

* All of what the request says about its client: address, network and user agent.
* The keys of ``data``, and the fields in ``changes``, that the name of the event declares as personal.
* If the target is an object of a model, as in the admin: every changed field, except secrets, which are not recorded,
  and fields that can only hold a boolean, a UUID, an automatic number, or references to objects with such a key, which
  events about rights write as the names of groups and permissions. So a field of a site's own model is protected without being declared.
* The id of such a target, if the primary key is of another type, such as an email address.

The names of changed fields stay readable. So do booleans and references: who became a superuser, and who joined which
group, can be proved after the person was erased, when their public id belongs to no one.
"""

from functools import lru_cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import AutoField, BooleanField, Model, UUIDField

from auth_audit.personal.secret_fields import is_secret
from auth_core.events import Event

#: Types whose values identify no one by themselves. `AutoField` stands for the larger ones too.
_IMPERSONAL = (BooleanField, UUIDField, AutoField)


def personal_changes(event: Event) -> frozenset[str]:
    """Return the names of the changed fields of *event* whose values are personal."""
    kind = event.target[0] if event.target else ""
    return frozenset(name for name in event.changes if name in event.name.personal or _is_personal(kind, str(name)))


def is_target_personal(kind: str) -> bool:
    """Return whether the ids of targets of this kind are personal: keys of a model that are not random or automatic."""
    return _is_label(kind) and _is_personal(kind, "pk")


def _is_label(kind: str) -> bool:
    """Return whether *kind* is the label of a model, ``app_label.model``. Other kinds are words of a catalogue."""
    return "." in kind


@lru_cache(maxsize=4096)
def _is_personal(kind: str, name: str) -> bool:
    if not _is_label(kind):
        return False
    try:
        model: type[Model] = apps.get_model(kind)
        field: Any = model._meta.pk if name == "pk" else model._meta.get_field(name)
    except (LookupError, ValueError, FieldDoesNotExist):
        return True
    if name != "pk" and is_secret(model, name):
        return False
    while field.is_relation:
        if field.related_model is None:  # a generic relation, whose key is that of any model
            return True
        field = field.target_field if field.many_to_one or field.one_to_one else field.related_model._meta.pk
    return not isinstance(field, _IMPERSONAL)
