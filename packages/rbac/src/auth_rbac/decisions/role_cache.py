"""Caches which roles allow and deny a permission, for all people and services.

The entries are valid under one version of the graph. With an entry, a question about a
subject reads only what it holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from auth_rbac.statements.rows import Effect, EffectRow, RowKind

#: The most roles in the cache, counted over all permissions. Beyond it the cache starts empty.
_MOST_ROLES = 100_000


@dataclass(frozen=True, slots=True)
class PermissionRoles:
    """The roles that allow or deny one permission, by themselves or through an ancestor.

    Args:
        graph: The version of the graph under which this is valid.
        permissions: Keys of the permissions with this name. Empty: there is none.
        allowing, denying: Keys of roles, as the database has them.
    """

    graph: str
    permissions: tuple[int, ...]
    allowing: frozenset[Any]
    denying: frozenset[Any]


_remembered: dict[str, PermissionRoles] = {}
_changing = Lock()


def remembered(name: str) -> PermissionRoles | None:
    """Return the entry for ``app.codename``, current or not."""
    return _remembered.get(name)


def remember(name: str, rows: Sequence[EffectRow]) -> PermissionRoles:
    """Store what the rows of `sql.on_objects` say about ``app.codename``, and return it."""
    roles = PermissionRoles(
        graph=rows[0].versions.graph,
        permissions=tuple(row.number for row in rows if row.row_kind is RowKind.PERMISSION and row.number is not None),
        allowing=frozenset(_roles_with(Effect.ALLOWS, rows)),
        denying=frozenset(_roles_with(Effect.DENIES, rows)),
    )
    with _changing:
        if sum(len(entry.allowing) + len(entry.denying) for entry in _remembered.values()) > _MOST_ROLES:
            _remembered.clear()
        _remembered[name] = roles
    return roles


def _roles_with(effect: Effect, rows: Sequence[EffectRow]) -> Iterable[Any]:
    return (row.role for row in rows if row.row_kind is RowKind.ROLE_EFFECT and row.number == effect)


def forget_all() -> None:
    """Empty the cache of this process, for tests."""
    with _changing:
        _remembered.clear()
