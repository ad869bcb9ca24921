"""How objects of the site are named on the wire: a kind, ``app.model``, and an id."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from auth_core.errors import FieldError, InvalidRequest, NotFound
from auth_rbac.conf import rbac


def model_named(kind: str, field: str = "type") -> type[models.Model]:
    """Return the model that ``app.model`` names.

    Raises:
        InvalidRequest: there is none; *field* is where it was said.
    """
    try:
        return apps.get_model(kind)
    except (LookupError, ValueError):
        raise InvalidRequest(FieldError(field, "unknown", _("There are no such objects."))) from None


def find_objects(model: type[models.Model], ids: list[str]) -> list[models.Model]:
    """Return the objects with these ids, in their order.

    Raises:
        NotFound: there is no such object for one of them, or it cannot be an id.
    """
    field = _field_of(model)
    try:
        found = {wire_id(obj): obj for obj in model._default_manager.filter(**{f"{field}__in": ids})}
    except (ValueError, TypeError, ValidationError, OverflowError):
        raise NotFound from None
    if not set(ids) <= set(found):
        raise NotFound
    return [found[one] for one in ids]


def wire_id(obj: Any) -> str:
    """Return how *obj* is called outside."""
    return str(getattr(obj, _field_of(type(obj))))


def _field_of(model: type[models.Model]) -> str:
    return rbac.WIRE_IDS.get(model._meta.label_lower, "pk")


def pack(*parts: str) -> str:
    """Return one text for several, which can stand in an address: how things are called that have no id of their own."""
    return urlsafe_b64encode("\0".join(parts).encode()).rstrip(b"=").decode()


def unpack(packed: str) -> list[str]:
    """Return what `pack` made one text of.

    Raises:
        NotFound: nothing is called so.
    """
    try:
        return urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode().split("\0")
    except ValueError:
        raise NotFound from None


def wire_ids(kind: str, keys: Collection[str]) -> dict[str, str]:
    """Return how objects are called outside, by their keys as text; whatever is gone keeps its key.

    One query, or none where objects are called by their primary keys.
    """
    named = {key: key for key in keys}
    field = rbac.WIRE_IDS.get(kind, "pk")
    if field != "pk":
        rows = model_named(kind)._default_manager.filter(pk__in=keys).values_list("pk", field)
        named |= {str(key): str(called) for key, called in rows}
    return named
