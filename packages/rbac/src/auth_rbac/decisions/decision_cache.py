"""Caches decisions per person or service in the process, under the versions of the subject and of the graph.

A decision is valid as long as both versions are current. The first question of each user
instance, which lives for one request, reads them from the database. A revocation on another node
is therefore in force on the next request here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any

from auth_core.memo import Memo
from auth_core.people.lookup import part_of
from auth_core.registries import Occasion, PersonRead
from auth_core.users import UserLike
from auth_rbac.conf import rbac
from auth_rbac.decisions.decision import Decision, DecisionReason
from auth_rbac.decisions.effects import RoleEffects
from auth_rbac.holders.service_subject import ServiceSubject, Subject, kind_of_subject
from auth_rbac.models import GraphVersion, HolderKind, PersonVersion
from auth_rbac.statements import sql
from auth_rbac.statements.query import fetch_versions
from auth_rbac.statements.rows import ScopeEffect, Versions

if TYPE_CHECKING:
    from django.contrib.auth.models import Group

#: The snapshot part that carries the versions of a session's person.
PART = "auth_rbac.versions"


@dataclass(slots=True)
class Everywhere:
    """What a person or a service may and must not do everywhere.

    Args:
        allowed: Why, by ``app.codename``.
        denied: Every ``app.codename`` that a role denies everywhere.
        until: The next beginning or end of an assignment.
        scoped: What the roles of the subject allow and deny in single scopes, by ``app.codename``. ``None``: the
            subject has too many assignments, and each question takes a query.
    """

    allowed: Mapping[str, DecisionReason]
    denied: frozenset[str]
    until: datetime | None
    scoped: Mapping[str, set[ScopeEffect]] | None = None


@dataclass(slots=True)
class CachedDecisions:
    """The cached decisions about one person or service under one pair of versions.

    Args:
        answers: The decisions, by question.
        everywhere: What the subject may and must not do everywhere, if it was read.
        role_effects: What its roles do with one permission in every scope, by ``app.codename``.
    """

    versions: Versions
    answers: dict[Any, Decision] = field(default_factory=dict)
    everywhere: Everywhere | None = None
    role_effects: dict[str, RoleEffects] = field(default_factory=dict)

    def remember(self, question: object, decision: Decision) -> Decision:
        """Cache a decision. When the cache is full, all decisions about the subject are dropped."""
        if len(self.answers) >= rbac.REMEMBERED_ANSWERS:
            self.answers.clear()
        self.answers[question] = decision
        return decision

    def remember_all(self, answers: dict[Any, Decision]) -> dict[Any, Decision]:
        """Cache a page of decisions, as `remember` does."""
        if len(self.answers) + len(answers) > rbac.REMEMBERED_ANSWERS:
            self.answers.clear()
        if len(answers) <= rbac.REMEMBERED_ANSWERS:
            self.answers |= answers
        return answers

    def remember_roles(self, name: str, effects: RoleEffects) -> None:
        """Cache what the roles of the subject do with ``app.codename``. As many names are cached as decisions."""
        if len(self.role_effects) >= rbac.REMEMBERED_ANSWERS:
            self.role_effects.clear()
        self.role_effects[name] = effects


#: On a user, a service or a group: the decisions that are current for this instance.
_CURRENT: Memo[CachedDecisions] = Memo("auth_rbac.decisions")

#: On a user: the versions that were read with their session, for its snapshot.
_READ_WITH_SESSION: Memo[list[str]] = Memo("auth_rbac.versions")

#: By the key of a person, or by the kind and the public id of a service, which equals no key of a person.
_subjects: dict[Any, CachedDecisions] = {}
_changing = Lock()


def on_instance(subject: "Subject | Group") -> CachedDecisions | None:
    """Return the decisions that are current for this instance. ``None``: it has not asked anything yet."""
    return _CURRENT.of(subject)


def current(subject: Subject) -> CachedDecisions | None:
    """Return the decisions that are current without a query, by this instance or by a trusted snapshot of a person."""
    cached = on_instance(subject)
    if cached is not None or not rbac.TRUST_SNAPSHOTS or isinstance(subject, ServiceSubject):
        return cached
    versions = part_of(subject, PART)
    return renew(subject, Versions(versions[0], versions[1])) if versions else None


def remembered(subject: Subject) -> CachedDecisions | None:
    """Return the cached decisions about *subject*, current or not."""
    return _subjects.get(_key(subject))


def renew(subject: Subject, versions: Versions) -> CachedDecisions:
    """Return the decisions under *versions*, which were just read. Drop the decisions under other versions."""
    key = _key(subject)
    cached = _subjects.get(key)
    if cached is None or cached.versions != versions:
        cached = CachedDecisions(versions)
        with _changing:
            if len(_subjects) >= rbac.REMEMBERED_PEOPLE:
                _subjects.pop(next(iter(_subjects)), None)
            _subjects[key] = cached
    _CURRENT.keep(subject, cached)
    return cached


def forget_instance(subject: "Subject | Group | None") -> None:
    """Make this instance read the versions again, after a change during its request."""
    if subject is not None:
        _CURRENT.forget(subject)


def forget_all() -> None:
    """Empty the cache of this process, for tests."""
    with _changing:
        _subjects.clear()


def verify(subject: Subject) -> CachedDecisions:
    """Read both versions from the database, and return the decisions under them."""
    return renew(subject, _current_versions(subject))


def versions_part(user: UserLike) -> list[str]:
    """Return the versions for a session's snapshot. A query, unless they were read with the session."""
    read = _READ_WITH_SESSION.take(user)
    return list(_current_versions(user)) if read is None else read


def _versions_sql(user: str) -> str:
    """Return a subquery for the versions of the person whose key is the SQL expression *user*, in PostgreSQL's SQL."""
    person = f"(SELECT stamp FROM {PersonVersion._meta.db_table} WHERE user_id = {user})"  # noqa: S608 - names of our own models
    graph = f"(SELECT stamp FROM {GraphVersion._meta.db_table} WHERE slot = 1)"  # noqa: S608 - as above
    return f"SELECT json_build_array({person}, {graph})"


def _keep_versions(user: UserLike, stored: Sequence[str | None]) -> None:
    _READ_WITH_SESSION.keep(user, [str(version) for version in stored])


#: The versions of a person, for `versions_part`.
VERSIONS_READ = PersonRead(
    occasions=frozenset({Occasion.SESSION}),
    models=lambda: (PersonVersion, GraphVersion),
    sql=_versions_sql,
    keep=_keep_versions,
)


def _current_versions(subject: Subject) -> Versions:
    return fetch_versions(subject, sql.versions(kind_of_subject(subject)))


def _key(subject: Subject) -> Any:
    return (HolderKind.SERVICE, subject.public_id) if isinstance(subject, ServiceSubject) else subject.pk
