"""Caches decisions per person in the process, under the versions of the person and of the graph.

A decision is valid as long as both versions are current. The first question of each user
instance, which lives for one request, reads them from the database. A revocation on another node
is therefore in force on the next request here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from auth_core.memo import Memo
from auth_core.people.lookup import part_of
from auth_core.users import UserLike
from auth_rbac.conf import rbac
from auth_rbac.decisions import sql
from auth_rbac.decisions.decision import Decision, DecisionReason, ScopeEffect
from auth_rbac.decisions.query import Versions, fetch_versions

if TYPE_CHECKING:
    from django.contrib.auth.models import Group

#: The snapshot part that carries the versions of a session's person.
PART = "auth_rbac.versions"


@dataclass(slots=True)
class Everywhere:
    """What a person may and must not do everywhere.

    Args:
        allowed: Why, by ``app.codename``.
        denied: Every ``app.codename`` that a role denies everywhere.
        until: The next beginning or end of an assignment.
        scoped: What the roles of the person allow and deny in single scopes, by ``app.codename``. ``None``: the
            person has too many assignments, and each question takes a query.
    """

    allowed: Mapping[str, DecisionReason]
    denied: frozenset[str]
    until: datetime | None
    scoped: Mapping[str, set[ScopeEffect]] | None = None


@dataclass(slots=True)
class CachedDecisions:
    """The cached decisions about one person under one pair of versions."""

    versions: Versions
    answers: dict[Any, Decision] = field(default_factory=dict)
    everywhere: Everywhere | None = None

    def remember(self, question: object, decision: Decision) -> Decision:
        """Cache a decision. When the cache is full, all decisions about the person are dropped."""
        if len(self.answers) >= rbac.REMEMBERED_ANSWERS:
            self.answers.clear()
        self.answers[question] = decision
        return decision


#: On a user or a group: the decisions that are current for this instance.
_CURRENT: Memo[CachedDecisions] = Memo("auth_rbac.decisions")

_people: dict[Any, CachedDecisions] = {}
_changing = Lock()


def on_instance(user: "UserLike | Group") -> CachedDecisions | None:
    """Return the decisions that are current for this instance. ``None``: it has not asked anything yet."""
    return _CURRENT.of(user)


def current(user: UserLike) -> CachedDecisions | None:
    """Return the decisions that are current without a query, by this instance or by a trusted snapshot."""
    cached = on_instance(user)
    if cached is None and rbac.TRUST_SNAPSHOTS and (versions := part_of(user, PART)):
        return renew(user, Versions(versions[0], versions[1]))
    return cached


def remembered(user: UserLike) -> CachedDecisions | None:
    """Return the cached decisions about *user*, current or not."""
    return _people.get(user.pk)


def renew(user: UserLike, versions: Versions) -> CachedDecisions:
    """Return the decisions under *versions*, which were just read. Drop the decisions under other versions."""
    cached = _people.get(user.pk)
    if cached is None or cached.versions != versions:
        cached = CachedDecisions(versions)
        with _changing:
            if len(_people) >= rbac.REMEMBERED_PEOPLE:
                _people.pop(next(iter(_people)), None)
            _people[user.pk] = cached
    _CURRENT.keep(user, cached)
    return cached


def forget_instance(user: "UserLike | Group | None") -> None:
    """Make this instance read the versions again, after a change during its request."""
    if user is not None:
        _CURRENT.forget(user)


def forget_all() -> None:
    """Empty the cache of this process, for tests."""
    with _changing:
        _people.clear()


def verify(user: UserLike) -> CachedDecisions:
    """Read both versions from the database, and return the decisions under them."""
    return renew(user, _current_versions(user))


def versions_part(user: UserLike) -> list[str]:
    """Return the versions for a session's snapshot."""
    return list(_current_versions(user))


def _current_versions(user: UserLike) -> Versions:
    return fetch_versions(user, sql.versions())
