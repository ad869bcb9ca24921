"""The parameters of the statements in `auth_rbac.statements.sql`: the keys of objects, scopes and permissions."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import models

from auth_rbac.models import HolderKind
from auth_rbac.scopes import kind_of
from auth_rbac.statements import sql
from auth_rbac.statements.query import native_keys
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
    objects, natives = listed([str(key) for key in keys]), native_keys(model, keys)
    values: dict[str, Any] = {
        "object_kind": kind_of(model),
        "objects": objects,
        "natives": objects if has_arrays() and natives == list(keys) else listed(natives),
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
    """Return a list as one value, so that PostgreSQL prepares one statement for every length.

    On PostgreSQL it is the text of an array, which has the type of the column that it is compared with. psycopg makes
    the same text from a list, but takes ten times as long for a page of keys. A list of other values is left to it.
    """
    if not has_arrays():
        return json.dumps(values)
    return _array_of(values) if _HAVE_A_TEXT.issuperset(map(type, values)) else values


#: The types whose texts PostgreSQL reads.
_HAVE_A_TEXT = frozenset({str, int, UUID})


def _array_of(values: list[Any]) -> str:
    """Return PostgreSQL's text of an array, with each element in quotes.

    Source: PostgreSQL documentation, section "Array Input and Output Syntax".
    """
    texts = (str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values)
    return "{" + ",".join([f'"{text}"' for text in texts]) + "}"
