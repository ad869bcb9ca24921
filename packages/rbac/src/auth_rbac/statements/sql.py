# ruff: noqa: S608 - the statements are put together from names of our models and of parameters, never from values
"""The SQL statements of decisions: what a person or a service holds, and what the roles allow and deny.

They are written by hand because they are the hot path: Django compiles a query each time,
and PostgreSQL prepares a statement once. They are standard SQL for PostgreSQL and SQLite. Values
are always parameters, and names of tables come from the models. The numbers 0 to 3 are `Effect`.

The subject is a person (parameter ``user``) or a service (``service``). Each kind has statements of its own. A
condition for both in one statement would make the statements about people slower.
"""

from functools import lru_cache
from typing import TYPE_CHECKING

from django.db import models

from auth_rbac.models import HolderKind
from auth_rbac.statements.rows import Effect, RowKind
from auth_rbac.statements.tables import Source, among, as_json, each, has_arrays, names, quoted, source_of

if TYPE_CHECKING:
    from django.db.models import Model


@lru_cache(maxsize=64)
def versions(subject: HolderKind) -> str:
    """Return the statement that reads both versions."""
    return f"SELECT {_VERSION[subject]}, {_GRAPH}".format(**names())


@lru_cache(maxsize=256)
def on_objects(
    model: type[models.Model], scopes: int, *, is_known: bool, subject: HolderKind, finds_objects: bool = False
) -> str:
    """Return the statement that reads what a subject holds that may concern some objects of *model*.

    It also reads the assignments in single scopes, if there are only a few: they tell what the roles of the subject do
    to every other object. Its rows are `EffectRow`. There is at least one, with nulls after the versions.

    Args:
        scopes: The number of content types among the scopes (parameters ``kind0``, ``keys0`` …).
        is_known: Whether the keys of the permission (parameter ``permissions``) and its roles are known. If not,
            the statement reads them as well: each role that allows or denies the permission, by itself or through
            an ancestor, and each key of the permission.
        finds_objects: Whether to read which of the objects exist.
    """
    columns = (
        "a.role_id, a.scope_type_id, a.scope_id, CASE WHEN a.valid_from > %(now)s THEN a.valid_from END, a.valid_until"
    )
    parts = _lasting(f"{RowKind.ASSIGNMENT}, {columns}", _in_scopes(scopes), subject)
    scoped = _lasting(f"{RowKind.SCOPED_ASSIGNMENT}, {columns}", "a.scope_type_id IS NOT NULL", subject)
    parts.append(f"SELECT * FROM ({' UNION ALL '.join(scoped)} LIMIT {FEW_ASSIGNMENTS + 1}) AS scoped")
    if finds_objects:
        key, table = quoted(str(model._meta.pk.column)), quoted(model._meta.db_table)
        existing = f"SELECT {RowKind.OBJECT}, NULL, NULL, {as_json(f'CAST(o.{key} AS varchar)')}, NULL, NULL"
        parts.append(f"{existing} FROM {table} o WHERE {among(f'o.{key}', 'natives')}")
    if subject is HolderKind.PERSON:
        parts += _guardian_objects(model, is_known=is_known)
    if not is_known:
        parts += [
            f"SELECT {RowKind.ROLE_EFFECT}, d.role_id, d.effect, '', NULL, NULL FROM"
            " (SELECT DISTINCT k.role_id, s.effect"
            " FROM role_effects s JOIN {closure} k ON k.ancestor_id = s.role_id) AS d",
            f"SELECT {RowKind.PERMISSION}, NULL, perm.id, '', NULL, NULL FROM perm",
        ]
    with_clause = "" if is_known else f"WITH {_PERM}, {_ROLE_EFFECTS} "
    return (
        f"{with_clause}SELECT v.person, v.graph, x.* FROM (SELECT {_VERSION[subject]}, {_GRAPH}) AS v"
        f" LEFT JOIN ({' UNION ALL '.join(parts)}) AS x ON 1 = 1"
    ).format(**names())


#: The most assignments of a subject whose effects in single scopes are read at once. With more, each question is a query.
FEW_ASSIGNMENTS = 50


@lru_cache(maxsize=2)
def everywhere(subject: HolderKind) -> str:
    """Return the statement that reads everything that a subject may and must not do everywhere.

    It reads the same for single scopes, unless the subject has more than a few assignments. Its rows are
    `EverywhereRow`. There is at least one.
    """
    by_role = "FROM reach r JOIN {%s} s ON s.role_id = r.ancestor_id JOIN {permission} p ON p.id = s.permission_id"
    kinds = "JOIN {kind} c ON c.id = p.content_type_id"
    parts = [
        f"SELECT c.app_label, p.codename, 0 AS effect, r.kind, r.object {by_role % 'role_permission'} {kinds}",
        f"SELECT c.app_label, p.codename, 1, r.kind, r.object {by_role % 'role_denial'} {kinds}",
        "SELECT c.app_label, p.codename, CASE WHEN w.denies THEN 1 ELSE 0 END, r.kind, r.object FROM reach r"
        " JOIN {wildcard} w ON w.role_id = r.ancestor_id"
        " JOIN {kind} c ON c.app_label = w.app_label AND (w.model = '' OR w.model = c.model)"
        " JOIN {permission} p ON p.content_type_id = c.id",
        *(_alone(kinds) if subject is HolderKind.PERSON else ()),
    ]
    reach = (
        "reach AS (SELECT DISTINCT k.ancestor_id, h.scope_type_id AS kind, h.scope_id AS object FROM assigned h"
        " JOIN {closure} k ON k.role_id = h.role_id WHERE h.valid_from <= %(now)s"
        f" AND (h.scope_type_id IS NULL OR (SELECT count(*) FROM assigned) <= {FEW_ASSIGNMENTS}))"
    )
    effects = f"SELECT DISTINCT * FROM ({' UNION ALL '.join(parts)}) AS x"
    return (
        f"WITH {_assigned('1 = 1', subject)}, {reach}"
        f" SELECT {_VERSION[subject]}, {_GRAPH}, {_UNTIL}, (SELECT count(*) FROM assigned) AS assignments, s.*"
        f" FROM (SELECT 1) AS one LEFT JOIN ({effects}) AS s ON 1 = 1"
    ).format(**names())


@lru_cache(maxsize=64)
def keys_in(
    kind: type[models.Model], effect: Effect, *, cast: str, subject: HolderKind, with_guardian: bool = False
) -> str:
    """Return the statement that lists the keys of objects of one kind in whose scope a role has *effect*.

    Args:
        cast: The expression that casts a key as text (``%s``) to the type of the model's key.
        with_guardian: Whether guardian's permissions for single objects count. A service has none.
    """
    scope = "(a.scope_type_id = %(kind)s)"
    parts = [
        f"SELECT {cast.replace('%s', 'h.scope_id')} FROM assigned h JOIN {{closure}} k ON k.role_id = h.role_id"
        f" JOIN role_effects s ON s.role_id = k.ancestor_id WHERE h.valid_from <= %(now)s AND s.effect = {effect}"
    ]
    if with_guardian:
        parts += _guardian_keys(kind, cast, is_known=False)
    return f"WITH {_assigned(scope, subject)}, {_PERM}, {_ROLE_EFFECTS} {' UNION ALL '.join(parts)}".format(**names())


@lru_cache(maxsize=256)
def keys_of_objects(kind: type[models.Model], *, cast: str, is_known: bool, with_listed: bool) -> str:
    """Return the statement that lists the keys of objects that guardian allows a person.

    Args:
        cast: As in `keys_in`.
        is_known: Whether the keys of the permission are known (parameter ``permissions``).
        with_listed: Whether to add the keys in the parameter ``listed``.
    """
    parts = _guardian_keys(kind, cast, is_known=is_known)
    if with_listed:
        parts.append(f"SELECT {cast.replace('%s', 'v.value')} FROM {each('listed')}")
    with_clause = "" if is_known else f"WITH {_PERM} "
    return f"{with_clause}{' UNION ALL '.join(parts)}".format(**names())


@lru_cache(maxsize=256)
def next_keys(kind: type[models.Model], *, cast: str, is_known: bool, with_listed: bool, is_first: bool) -> str:
    """Return the statement that lists the next keys of `keys_of_objects` that exist, in ascending order.

    Args:
        is_first: Whether to begin with the first key. If not, begin after the key ``after``.
    """
    key, table = quoted(str(kind._meta.pk.column)), quoted(kind._meta.db_table)
    among = keys_of_objects(kind, cast=cast, is_known=is_known, with_listed=with_listed)
    # PostgreSQL reads the keys of an array in the order of the index, and no further than the limit.
    is_one = f"= ANY(ARRAY({among}))" if has_arrays() else f"IN ({among})"
    beginning = "" if is_first else f" AND o.{key} > %(after)s"
    return f"SELECT o.{key} FROM {table} o WHERE o.{key} {is_one}{beginning} ORDER BY o.{key} LIMIT %(limit)s"


@lru_cache(maxsize=64)
def people(model: type[models.Model] | None, scopes: int) -> str:
    """Return the statement that lists the keys of the people who have a permission, including disabled people.

    Args:
        model: The model of the object (parameters as in `on_objects`, for one object). ``None``: everywhere.
    """
    assigned = _assigned_with_effect("a.user_id, a.group_id", _in_scopes(scopes))
    allowed = [*_holders(Effect.ALLOWS), *(_alone_holders() if model is None else _guardian_holders(model))]
    # PostgreSQL and SQLite both evaluate from left to right. Superusers come last: a denial does not concern them.
    listed = f"{' UNION ALL '.join(allowed)} EXCEPT {' EXCEPT '.join(_holders(Effect.DENIES))}"
    if "superuser" in names():
        listed += " UNION ALL SELECT {user_key} FROM {user} WHERE {superuser}"
    return f"WITH {_PERM}, {_ROLE_EFFECTS}, {assigned} {listed}".format(**names())


@lru_cache(maxsize=64)
def services(scopes: int) -> str:
    """Return the statement that lists the public ids of the services that have a permission.

    It includes services that are disabled or do not exist any more. The parameters are as in `people`.
    """
    scope = f"{_in_scopes(scopes)} AND a.service_id IS NOT NULL"
    assigned = _assigned_with_effect("a.service_id", scope)
    holders = "SELECT service_id FROM assigned WHERE effect = "
    listed = f"{holders}{Effect.ALLOWS} EXCEPT {holders}{Effect.DENIES}"
    return f"WITH {_PERM}, {_ROLE_EFFECTS}, {assigned} {listed}".format(**names())


#: The version of everything that a subject holds, by the kind of the subject.
_VERSION = {
    HolderKind.PERSON: "(SELECT stamp FROM {person_version} WHERE user_id = %(user)s) AS person",
    HolderKind.SERVICE: "(SELECT stamp FROM {service_version} WHERE service_id = %(service)s) AS person",
}
_GRAPH = "(SELECT stamp FROM {graph_version} WHERE slot = 1) AS graph"
_UNTIL = "(SELECT min(CASE WHEN valid_from > %(now)s THEN valid_from ELSE valid_until END) FROM assigned) AS until"

_PERM = (
    "perm AS (SELECT p.id, c.app_label, c.model FROM {permission} p JOIN {kind} c ON c.id = p.content_type_id"
    " WHERE c.app_label = %(app)s AND p.codename = %(codename)s)"
)
_ROLE_EFFECTS = (
    "role_effects AS (SELECT r.role_id, 0 AS effect FROM {role_permission} r JOIN perm ON perm.id = r.permission_id"
    " UNION ALL SELECT d.role_id, 1 FROM {role_denial} d JOIN perm ON perm.id = d.permission_id"
    " UNION ALL SELECT w.role_id, CASE WHEN w.denies THEN 1 ELSE 0 END FROM {wildcard} w"
    " JOIN perm ON perm.app_label = w.app_label AND w.model IN ('', perm.model))"
)


def _in_scopes(scopes: int) -> str:
    """Return the condition that an assignment is in force everywhere or in one of the scopes."""
    scoped = "".join(
        f" OR (a.scope_type_id = %(kind{number})s AND {among('a.scope_id', f'keys{number}')})"
        for number in range(scopes)
    )
    return f"(a.scope_type_id IS NULL{scoped})"


def _assigned(scope: str, subject: HolderKind) -> str:
    """Return the assignments of a subject, and of a person's groups, that have not ended."""
    columns = "a.role_id, a.scope_type_id, a.scope_id, a.valid_from, a.valid_until"
    return f"assigned AS ({' UNION ALL '.join(_lasting(columns, scope, subject))})"


def _assigned_with_effect(holders: str, scope: str) -> str:
    """Return the columns *holders* and the effect of the assignments that are in force."""
    return (
        f"assigned AS (SELECT {holders}, s.effect FROM {{assignment}} a"
        " JOIN {closure} k ON k.role_id = a.role_id JOIN role_effects s ON s.role_id = k.ancestor_id"
        " WHERE a.valid_from <= %(now)s AND (a.valid_until IS NULL OR a.valid_until > %(now)s)"
        f" AND {scope})"
    )


def _lasting(columns: str, scope: str, subject: HolderKind) -> list[str]:
    lasting = f"(a.valid_until IS NULL OR a.valid_until > %(now)s) AND {scope}"
    if subject is HolderKind.SERVICE:
        return [f"SELECT {columns} FROM {{assignment}} a WHERE a.service_id = %(service)s AND {lasting}"]
    parts = [f"SELECT {columns} FROM {{assignment}} a WHERE a.user_id = %(user)s AND {lasting}"]
    if "membership" in names():
        parts.append(
            f"SELECT {columns} FROM {{membership}} m JOIN {{assignment}} a ON a.group_id = m.group_id"
            f" WHERE m.{{member}} = %(user)s AND {lasting}"
        )
    return parts


def _guardian_objects(model: type[models.Model], *, is_known: bool) -> list[str]:
    """Return the selection of the objects that guardian allows, one row for each of its tables."""
    parts = []
    for source, holder in _guardian_sources(model):
        key = f"g.{source.key}" if source.is_generic else f"CAST(g.{source.key} AS varchar)"
        kind = "AND g.content_type_id = %(object_kind)s" if source.is_generic else ""
        these = among(f"g.{source.key}", "objects" if source.is_generic else "natives")
        parts.append(
            f"SELECT {RowKind.OBJECT_PERMISSION}, NULL, %(object_kind)s, {as_json(key)}, NULL, NULL FROM {holder}"
            f" WHERE {_whose(holder)} {kind} AND {these} AND {_is_the_permission(is_known)}"
        )
    return parts


def _guardian_keys(model: "type[Model]", cast: str, *, is_known: bool) -> list[str]:
    """Return the selection of the keys of the objects for which guardian gives a person one permission."""
    parts = []
    for source, holder in _guardian_sources(model):
        key = cast.replace("%s", f"g.{source.key}") if source.is_generic else f"g.{source.key}"
        kind = "AND g.content_type_id = %(kind)s" if source.is_generic else ""
        parts.append(f"SELECT {key} FROM {holder} WHERE {_whose(holder)} {kind} AND {_is_the_permission(is_known)}")
    return parts


def _is_the_permission(is_known: bool) -> str:
    return among("g.permission_id", "permissions") if is_known else "g.permission_id IN (SELECT id FROM perm)"


def _guardian_sources(model: "type[Model]") -> list[tuple[Source, str]]:
    own = source_of(model, of_groups=False)
    sources = [(own, f"{own.table} g")]
    if "membership" in names():
        of_groups = source_of(model, of_groups=True)
        sources.append((of_groups, f"{{membership}} m JOIN {of_groups.table} g ON g.group_id = m.group_id"))
    return sources


def _holders(effect: Effect) -> list[str]:
    """Return the selection of the people with a role that has *effect*, in person or through a group."""
    parts = [f"SELECT user_id FROM assigned WHERE effect = {effect} AND user_id IS NOT NULL"]
    if "membership" in names():
        parts.append(
            "SELECT m.{member} FROM assigned h JOIN {membership} m ON m.group_id = h.group_id"
            f" WHERE h.effect = {effect}"
        )
    return parts


def _guardian_holders(model: type[models.Model]) -> list[str]:
    """Return the selection of the people with the permission from guardian for the object."""
    parts = []
    for source, holder in _guardian_sources(model):
        person = "m.{member}" if "{membership}" in holder else "g.user_id"
        kind = "AND g.content_type_id = %(object_kind)s" if source.is_generic else ""
        these = among(f"g.{source.key}", "objects" if source.is_generic else "natives")
        parts.append(f"SELECT {person} FROM {holder} JOIN perm ON perm.id = g.permission_id WHERE {these} {kind}")
    return parts


def _alone_holders() -> list[str]:
    """Return the selection of the people who have the permission through Django's own tables."""
    parts = []
    if "user_permission" in names():
        parts.append("SELECT u.{permitted} FROM {user_permission} u JOIN perm ON perm.id = u.permission_id")
    if "membership" in names():
        parts.append(
            "SELECT m.{member} FROM {group_permission} g JOIN perm ON perm.id = g.permission_id"
            " JOIN {membership} m ON m.group_id = g.group_id"
        )
    return parts


def _whose(holder: str) -> str:
    return "m.{member} = %(user)s" if "{membership}" in holder else "g.user_id = %(user)s"


def _alone(kinds: str) -> list[str]:
    """Return the selection of Django's own permissions of a person and of their groups. They do not concern objects."""
    parts = []
    if "user_permission" in names():
        parts.append(
            "SELECT c.app_label, p.codename, 3, NULL, '' FROM {user_permission} u"
            f" JOIN {{permission}} p ON p.id = u.permission_id {kinds} WHERE u.{{permitted}} = %(user)s"
        )
    if "membership" in names():
        parts.append(
            "SELECT c.app_label, p.codename, 3, NULL, '' FROM {membership} m JOIN {group_permission} g"
            " ON g.group_id = m.group_id"
            f" JOIN {{permission}} p ON p.id = g.permission_id {kinds} WHERE m.{{member}} = %(user)s"
        )
    return parts
