"""The scopes of roles: everywhere, one object, and the objects that lie in it."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import models

from auth_rbac.conf import rbac


class Around(NamedTuple):
    """A foreign key from a model to an outer object."""

    path: str
    model: type[models.Model]


def around(model: type[models.Model]) -> tuple[Around, ...]:
    """Return the foreign keys of *model* to its outer objects (`AUTH_RBAC["SCOPES"]`)."""
    paths = rbac.SCOPES.get(model._meta.label_lower, ())
    return tuple(Around(path, _target(model, path)) for path in paths)


def keys_around(obj: models.Model) -> tuple[Any, ...]:
    """Return the keys of the outer objects of *obj*, in the order of `around`. Its own foreign keys take no query."""
    return tuple(_key(obj, path) for path in rbac.SCOPES.get(obj._meta.label_lower, ()))


def scopes_of(obj: models.Model) -> list[tuple[int, str]]:
    """Return every scope of *obj* as content type and key: itself first, then its outer objects."""
    return scopes_by_keys(type(obj), obj.pk, keys_around(obj))


def scopes_by_keys(model: type[models.Model], key: object, keys: Sequence[Any]) -> list[tuple[int, str]]:
    """Return the scopes of an object of *model* with this key, and *keys* of its outer objects."""
    scopes = [(kind_of(model), str(key))]
    if keys:
        outer_keys = zip(around(model), keys, strict=True)
        scopes += [(kind_of(outer.model), str(outer_key)) for outer, outer_key in outer_keys if outer_key is not None]
    return scopes


def may_overlap(scope: tuple[int | None, str], obj: models.Model | None) -> bool:
    """Tell whether an object can lie both in *scope* (content type and key) and in the scope of *obj*.

    The answer follows from the foreign keys and not from the existing objects, because more may be created.
    If it is uncertain, the answer is yes.

    Args:
        obj: ``None``: everywhere.
    """
    kind, key = scope
    if obj is None or kind is None or scope in scopes_of(obj):
        return True
    model = ContentType.objects.get_for_id(kind).model_class()
    if model is None:
        return True
    inner_models = {model, type(obj), *(apps.get_model(label) for label in rbac.SCOPES)}
    return any(
        _can_meet(model, key, path, obj, other_path)
        for inner in inner_models
        for path in _paths(inner, model)
        for other_path in _paths(inner, type(obj))
    )


def _paths(inner: type[models.Model], model: type[models.Model]) -> list[list[str]]:
    """Return the foreign keys, as steps, through which an object of *inner* lies in an object of *model*."""
    itself: list[list[str]] = [[]] if kind_of(inner) == kind_of(model) else []
    return itself + [outer.path.split("__") for outer in around(inner) if kind_of(outer.model) == kind_of(model)]


def _can_meet(model: type[models.Model], key: str, path: list[str], obj: models.Model, other_path: list[str]) -> bool:
    """Tell whether one object can lie in the first scope through *path*, and in *obj* through *other_path*."""
    if path == other_path:
        return False  # One foreign key leads to one object, and these are two.
    if other_path[: len(path)] == path:
        first = model._base_manager.filter(pk=key).first()
        return first is None or _key(first, "__".join(other_path[len(path) :])) == obj.pk
    if path[: len(other_path)] == other_path:
        return str(_key(obj, "__".join(path[len(other_path) :]))) == key
    return True


def kind_of(model: type[models.Model]) -> int:
    """Return the key of a model's content type. Django caches it."""
    kind: int = ContentType.objects.get_for_model(model).pk
    return kind


@lru_cache(maxsize=256)
def _target(model: type[models.Model], path: str) -> type[models.Model]:
    for name in path.split("__"):
        model = model._meta.get_field(name).related_model  # type: ignore[assignment]  # a foreign key has one
    return model


def _key(obj: Any, path: str) -> Any:
    *steps, last = path.split("__")
    for name in steps:
        obj = getattr(obj, name)
        if obj is None:
            return None
    return getattr(obj, obj._meta.get_field(last).attname)
