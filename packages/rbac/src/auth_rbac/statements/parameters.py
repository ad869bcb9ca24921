"""The parameters of the statements in `auth_rbac.statements.sql`: the keys of objects, scopes and permissions."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import models

from auth_rbac.models import HolderKind
from auth_rbac.scopes import kind_of
from auth_rbac.statements import sql
from auth_rbac.statements.query import native_key
from auth_rbac.statements.tables import has_arrays


def on_objects(
    model: type[models.Model],
    keys: Sequence[Any],
    scopes: set[tuple[int, str]],
    permissions: Sequence[int] | None,
    subject: HolderKind,
    *,
    finds_objects: bool = False,
) -> tuple[str, dict[str, Any]]:
    """Return the statement for these objects and scopes, and its values except the subject and the permission's name.

    Args:
        keys: The primary keys of the objects.
        permissions: Keys of the permission, if they and its roles are known.
        finds_objects: Whether to read which of the objects exist.
    """
    values, kinds = values_for(model, keys, scopes)
    values |= keys_of_permission(permissions)
    is_known = permissions is not None
    return sql.on_objects(model, kinds, is_known=is_known, subject=subject, finds_objects=finds_objects), values


def values_for(
    model: type[models.Model], keys: Sequence[Any], scopes: set[tuple[int, str]]
) -> tuple[dict[str, Any], int]:
    """Return the values for the objects with these keys and for scopes, and the number of content types among these."""
    values: dict[str, Any] = {
        "object_kind": kind_of(model),
        "objects": listed([str(key) for key in keys]),
        "natives": listed([native_key(model, key) for key in keys]),
    }
    kinds = sorted({kind for kind, _key in scopes})
    for number, kind in enumerate(kinds):
        values[f"kind{number}"] = kind
        values[f"keys{number}"] = listed([key for scope_kind, key in scopes if scope_kind == kind])
    return values, len(kinds)


def keys_of_permission(permissions: Sequence[int] | None) -> dict[str, Any]:
    """Return the value for the keys of a permission, if they are known."""
    return {} if permissions is None else {"permissions": listed(list(permissions))}


def listed(values: list[Any]) -> Any:
    """Return a list as one value, so that PostgreSQL prepares one statement for every length."""
    return values if has_arrays() else json.dumps(values)
