"""What a process remembers of the graph: which roles say something of a permission.

The same for everybody, and good under one version of the graph: with it, a question about a
person asks only what that person holds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from auth_rbac.decisions import sql

#: Of how many roles something is remembered, over all permissions; more than that is learned anew.
_MOST_ROLES = 100_000


@dataclass(frozen=True, slots=True)
class Saying:
    """What the roles say of one permission, by themselves or by an ancestor.

    Args:
        graph: The version of the graph under which they do.
        permissions: Keys of the rows that have this name; none: there is no such permission.
        allowing, denying: Keys of roles, as the database has them.
    """

    graph: str
    permissions: tuple[int, ...]
    allowing: frozenset[Any]
    denying: frozenset[Any]


_remembered: dict[str, Saying] = {}
_changing = Lock()


def remembered(name: str) -> Saying | None:
    """Return what was learned of ``app.codename``, whether or not it is current."""
    return _remembered.get(name)


def learn(name: str, rows: Sequence[tuple[Any, ...]]) -> Saying:
    """Remember what the rows of `sql.on_objects` tell of ``app.codename``, and return it."""
    saying = Saying(
        graph=str(rows[0][1]),
        permissions=tuple(row[4] for row in rows if row[2] == sql.PERMISSION),
        allowing=frozenset(_roles_in(rows, sql.ALLOWS)),
        denying=frozenset(_roles_in(rows, sql.DENIES)),
    )
    with _changing:
        if sum(len(one.allowing) + len(one.denying) for one in _remembered.values()) > _MOST_ROLES:
            _remembered.clear()
        _remembered[name] = saying
    return saying


def _roles_in(rows: Sequence[tuple[Any, ...]], effect: int) -> Iterable[Any]:
    return (row[3] for row in rows if row[2] == sql.SAYING_ROLE and row[4] == effect)


def forget_all() -> None:
    """Forget the graph, in this process; for tests."""
    with _changing:
        _remembered.clear()
