"""What a process remembers of people's answers, and under which versions.

An answer is good as long as both versions (of the person, of the graph) are those it was
given under. They are asked of the database with the first question of each instance of a
user, which lives for one request: what was revoked on another node is gone on the next
request here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from auth_core.people.lookup import part_of
from auth_rbac.conf import rbac
from auth_rbac.decisions import sql
from auth_rbac.decisions.decision import Decision, Reason
from auth_rbac.decisions.query import ask, key_of_user

#: The snapshot part that carries the versions of a session's person.
PART = "auth_rbac.versions"

#: Where an instance of a user keeps what was found to be current.
_ON_INSTANCE = "_auth_rbac_standing"

Versions = tuple[str, str]


@dataclass(slots=True)
class Everywhere:
    """What somebody may and must not do everywhere.

    Args:
        scoped: What their roles say in which scopes: name -> kind, key and effect; ``None``: they hold so
            many that they are asked about one by one.
    """

    allowed: Mapping[str, Reason]
    denied: frozenset[str]
    until: datetime | None
    scoped: Mapping[str, set[tuple[int, str, int]]] | None = None


@dataclass(slots=True)
class Standing:
    """What is remembered of one person under one pair of versions."""

    versions: Versions
    answers: dict[Any, Decision] = field(default_factory=dict)
    everywhere: Everywhere | None = None

    def remember(self, question: Any, decision: Decision) -> Decision:
        """Keep an answer; when there are too many all go, and are asked again."""
        if len(self.answers) >= rbac.REMEMBERED_ANSWERS:
            self.answers.clear()
        self.answers[question] = decision
        return decision


_people: dict[Any, Standing] = {}
_changing = Lock()


def on_instance(user: Any) -> Standing | None:
    """Return what this instance is known to stand on; ``None``: nobody has asked yet."""
    return getattr(user, _ON_INSTANCE, None)


def verified(user: Any) -> Standing | None:
    """Return what is known to be current without asking: of this instance, or by a snapshot that is trusted."""
    known = on_instance(user)
    if known is None and rbac.TRUST_SNAPSHOTS and (carried := part_of(user, PART)):
        return renew(user, (carried[0], carried[1]))
    return known


def remembered(user: Any) -> Standing | None:
    """Return what is remembered of *user*, whether or not it is current."""
    return _people.get(user.pk)


def renew(user: Any, versions: Versions) -> Standing:
    """Return what is remembered under *versions*, which were read just now; what was under others is forgotten."""
    standing = _people.get(user.pk)
    if standing is None or standing.versions != versions:
        standing = Standing(versions)
        with _changing:
            if len(_people) >= rbac.REMEMBERED_PEOPLE:
                _people.pop(next(iter(_people)), None)
            _people[user.pk] = standing
    setattr(user, _ON_INSTANCE, standing)
    return standing


def forget_instance(user: Any) -> None:
    """Let this instance ask again: something was changed while it was in use."""
    if user is not None and on_instance(user) is not None:
        delattr(user, _ON_INSTANCE)


def forget_all() -> None:
    """Forget everybody, in this process; for tests."""
    with _changing:
        _people.clear()


def verify(user: Any) -> Standing:
    """Ask for both versions, and return what is remembered under them."""
    return renew(user, _current_versions(user))


def versions_part(user: Any) -> list[str]:
    """Return what a session's snapshot carries."""
    return list(_current_versions(user))


def _current_versions(user: Any) -> Versions:
    return versions_in(ask(sql.versions(), {"user": key_of_user(user)})[0])


def versions_in(row: tuple[Any, ...]) -> Versions:
    """Return both versions from the first columns of a row; an absent one is a value, too."""
    return str(row[0]), str(row[1])
