"""The rows of the statements of decisions."""

from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple


class Effect(IntEnum):
    """The effect of a role or of a permission. The statements of `auth_rbac.statements.sql` use these numbers."""

    ALLOWS = 0
    DENIES = 1
    #: Guardian allows one object.
    ALLOWS_OBJECT = 2
    #: Django's own permission of a person or a group allows, without a role.
    ALLOWS_ALONE = 3


#: An effect in one scope: content type, key and effect. ``(None, "", effect)`` is in effect everywhere.
ScopeEffect = tuple[int | None, str, Effect]


class Versions(NamedTuple):
    """The versions under which an answer is valid. A missing version is a value, too.

    Args:
        subject: The version of everything that the person or service holds.
        graph: The version of everything that concerns more than one of them.
    """

    subject: str
    graph: str


class RowKind(IntEnum):
    """What a row of `sql.on_objects` describes."""

    #: An assignment that has not ended.
    ASSIGNMENT = 0
    #: The objects that one table of guardian allows.
    OBJECT_PERMISSION = 1
    #: A role that allows or denies the permission, by itself or through an ancestor.
    ROLE_EFFECT = 2
    #: A permission with the requested name.
    PERMISSION = 3
    #: An assignment in any single scope that has not ended.
    SCOPED_ASSIGNMENT = 4
    #: The objects that exist.
    OBJECT = 5


class EffectRow(NamedTuple):
    """A row of `sql.on_objects`.

    Args:
        versions: The same in every row.
        row_kind: ``None`` in the only row of an empty answer.
        role: The key of the role, as the database has it.
        number: The content type of the scope or object, the effect of a role, or the key of a permission.
        key: The key of the scope, as text. Of objects, all keys as a JSON array of texts.
        begins: The beginning of an assignment, if it is in the future.
        ends: The end of an assignment.
    """

    versions: Versions
    row_kind: RowKind | None
    role: Any
    number: int | None
    key: str
    begins: datetime | None
    ends: datetime | None


class EverywhereRow(NamedTuple):
    """A row of `sql.everywhere`: the effect of one permission, everywhere or in one scope.

    Args:
        versions: The same in every row.
        until: The next beginning or end of an assignment, the same in every row.
        assignments: The number of assignments, the same in every row.
        permission: ``app.codename``. ``None`` in the only row of an empty answer.
        kind: The content type of the scope. ``None``: everywhere.
        key: The key of the scope, as text.
    """

    versions: Versions
    until: datetime | None
    assignments: int
    permission: str | None
    effect: Effect | None
    kind: int | None
    key: str
