"""The names of objects in the API: a kind (``app.model``) and an id."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Sequence
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import models, router
from django.db.models.manager import BaseManager
from django.utils.translation import gettext as _

from auth_core.errors import FieldError, InvalidRequest, NotFound
from auth_rbac.conf import rbac
from auth_rbac.models import Assignment
from auth_rbac.scopes import around


def model_named(kind: str, field: str = "type") -> type[models.Model]:
    """Return the model for ``app.model``.

    Raises:
        InvalidRequest: there is none. *field* is the field of the request that names it.
    """
    try:
        return apps.get_model(kind)
    except (LookupError, ValueError):
        raise InvalidRequest(FieldError(field, "unknown", _("Unknown kind of object."))) from None


def plain_keys(model: type[models.Model], ids: Sequence[str]) -> list[Any] | None:
    """Return the primary keys with these ids, of objects that `check_existing` can look for. No query.

    ``None``: the ids or the scopes of this model are in other columns, its default manager filters, its keys are of an
    unusual type, or it is in another database than the roles. Such objects are read with `find_objects`.

    Raises:
        NotFound: an id is invalid.
    """
    key: Any = model._meta.pk
    is_plain = isinstance(key, (models.IntegerField, models.UUIDField, models.CharField)) and not hasattr(
        key, "from_db_value"
    )
    if _field_of(model) != "pk" or around(model) or not is_plain or not _is_all_rows(model):
        return None
    try:
        keys = [key.to_python(each) for each in ids]
        if isinstance(key, models.IntegerField):
            for bound in (min(keys), max(keys)):
                key.run_validators(bound)  # PostgreSQL refuses a number beyond its type.
    except (ValueError, TypeError, ValidationError, OverflowError):
        raise NotFound from None
    if [str(each) for each in keys] != list(ids):
        raise NotFound
    return keys


def _is_all_rows(model: type[models.Model]) -> bool:
    manager = model._default_manager
    is_plain = type(manager).get_queryset is BaseManager.get_queryset and not manager.all().query.where
    return is_plain and router.db_for_write(model) == router.db_for_write(Assignment)


def find_objects(model: type[models.Model], ids: list[str]) -> list[models.Model]:
    """Return the objects with these ids, in the same order. Only their keys and the keys of outer objects are read.

    Raises:
        NotFound: an id is invalid, or an object does not exist.
    """
    field = _field_of(model)
    try:
        objects = {wire_id(obj): obj for obj in _keys_only(model).filter(**{f"{field}__in": ids})}
    except (ValueError, TypeError, ValidationError, OverflowError):
        raise NotFound from None
    if not set(ids) <= set(objects):
        raise NotFound
    return [objects[each] for each in ids]


def _keys_only(model: type[models.Model]) -> "models.QuerySet[Any]":
    """Return the objects of *model* with the columns that name them and their scopes."""
    paths = [outer.path for outer in around(model)]
    rows = model._default_manager.select_related(None)
    if outer_paths := sorted({path.rpartition("__")[0] for path in paths if "__" in path}):
        rows = rows.select_related(*outer_paths)
    return rows.only(_field_of(model), *paths)


def wire_id(obj: models.Model) -> str:
    """Return the id of *obj* in the API."""
    return str(getattr(obj, _field_of(type(obj))))


def _field_of(model: type[models.Model]) -> str:
    return rbac.WIRE_IDS.get(model._meta.label_lower, "pk")


def pack(*parts: str) -> str:
    """Pack several texts into one that can be part of a URL. It identifies things without an id of their own."""
    return urlsafe_b64encode("\0".join(parts).encode()).rstrip(b"=").decode()


def unpack(packed: str) -> list[str]:
    """Return the texts in a packed text.

    Raises:
        NotFound: the text was not made by `pack`.
    """
    try:
        return urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode().split("\0")
    except ValueError:
        raise NotFound from None


def wire_ids(kind: str, keys: Collection[str]) -> dict[str, str]:
    """Return the API ids of objects by their keys as text. A deleted object keeps its key.

    It takes one query, or none if the objects are named by their primary keys.
    """
    names = {key: key for key in keys}
    field = rbac.WIRE_IDS.get(kind, "pk")
    if field != "pk":
        rows = model_named(kind)._default_manager.filter(pk__in=keys).values_list("pk", field)
        names |= {str(key): str(name) for key, name in rows}
    return names
