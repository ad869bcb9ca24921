"""Where a role can hold: everywhere, for one object, and for the objects around it."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import models

from auth_rbac.conf import rbac


class Around(NamedTuple):
    """A foreign key of a model to an object around it."""

    path: str
    model: type[models.Model]


def around(model: type[models.Model]) -> tuple[Around, ...]:
    """Return the foreign keys of *model* to the objects in whose scope it lies (`AUTH_RBAC["SCOPES"]`)."""
    paths = rbac.SCOPES.get(model._meta.label_lower, ())
    return tuple(Around(path, _target(model, path)) for path in paths)


def keys_around(obj: models.Model) -> tuple[Any, ...]:
    """Return the keys of the objects around *obj*, in the order of `around`; no query for a foreign key of its own."""
    return tuple(_key(obj, path) for path in rbac.SCOPES.get(obj._meta.label_lower, ()))


def scopes_of(obj: models.Model) -> list[tuple[int, str]]:
    """Return every scope that holds for *obj*, as kind and key: itself first, then what is around it."""
    return scopes_by_keys(type(obj), obj.pk, keys_around(obj))


def scopes_by_keys(model: type[models.Model], key: Any, keys: Sequence[Any]) -> list[tuple[int, str]]:
    """Return the same for an object of *model* with this key, and *keys* of the objects around it."""
    found = [(kind_of(model), str(key))]
    if keys:
        places = zip(around(model), keys, strict=True)
        found += [(kind_of(place.model), str(outer)) for place, outer in places if outer is not None]
    return found


def may_overlap(place: tuple[int | None, str], obj: models.Model | None) -> bool:
    """Tell whether an object can lie in the scope *place* (kind and key) and in the scope of *obj* too.

    The answer follows from the foreign keys, not from the objects that are there now: an object that is
    made tomorrow counts. Where that is not certain, the answer is yes.

    Args:
        obj: ``None``: everywhere.
    """
    kind, key = place
    if obj is None or kind is None or place in scopes_of(obj):
        return True
    model = ContentType.objects.get_for_id(kind).model_class()
    if model is None:
        return True
    inside = {model, type(obj), *(apps.get_model(label) for label in rbac.SCOPES)}
    return any(
        _can_meet(model, key, mine, obj, theirs)
        for lying in inside
        for mine in _paths(lying, model)
        for theirs in _paths(lying, type(obj))
    )


def _paths(lying: type[models.Model], model: type[models.Model]) -> list[list[str]]:
    """Return the foreign keys, as steps, by which an object of *lying* lies in an object of *model*."""
    itself: list[list[str]] = [[]] if kind_of(lying) == kind_of(model) else []
    return itself + [place.path.split("__") for place in around(lying) if kind_of(place.model) == kind_of(model)]


def _can_meet(model: type[models.Model], key: str, mine: list[str], obj: models.Model, theirs: list[str]) -> bool:
    """Tell whether one object can lie in the first scope by the path *mine*, and in the second by *theirs*."""
    if mine == theirs:
        return False  # One foreign key leads to one object, and these are two.
    if theirs[: len(mine)] == mine:
        first = model._base_manager.filter(pk=key).first()
        return first is None or _key(first, "__".join(theirs[len(mine) :])) == obj.pk
    if mine[: len(theirs)] == theirs:
        return str(_key(obj, "__".join(mine[len(theirs) :]))) == key
    return True


def kind_of(model: type[models.Model]) -> int:
    """Return the key of a model's content type, from a cache of Django's."""
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
