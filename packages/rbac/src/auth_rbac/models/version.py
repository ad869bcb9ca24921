"""Versions: what answers are remembered under.

A version is a random value, not a count: a change that is rolled back would give its number
back, and the next change would get the number under which another answer is remembered.
"""

from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, models

#: The rows of `GraphVersion`.
_VERSION, _LOCK = 1, 2


class PersonVersion(models.Model):
    """Another value after every change of what one person holds; no row: nothing was ever changed.

    No constraint to the user: the row of a person who is deleted is written once more by
    the triggers on what goes with them, and does no harm.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        primary_key=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    stamp = models.UUIDField(default=uuid4)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.pk}: {self.stamp}"


class GraphVersion(models.Model):
    """Another value after every change that concerns more than one person; beside it, the row that is the lock.

    Two rows: whoever holds the lock while they look has not changed anything yet, and nobody's
    answers need to be asked again for it.
    """

    slot = models.PositiveSmallIntegerField(primary_key=True, default=1)
    stamp = models.UUIDField(default=uuid4)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.stamp)


def lock_graph() -> None:
    """Wait until nobody else changes the graph or who administers; holds until the transaction ends.

    The first statement of every such change: what is read after it is what the one before
    has committed. It is a write, so that SQLite takes its lock here, too.
    """
    _write(_LOCK, DEFAULT_DB_ALIAS)


def touch_graph(using: str = DEFAULT_DB_ALIAS) -> None:
    """Let every remembered answer be asked again, in the transaction that is open."""
    _write(_VERSION, using)


def _write(slot: int, using: str) -> None:
    rows = GraphVersion.objects.using(using)
    if not rows.filter(slot=slot).update(stamp=uuid4()):
        rows.update_or_create(slot=slot, defaults={"stamp": uuid4()})


def touch_graph_unless_triggers(using: str = DEFAULT_DB_ALIAS) -> None:
    """As `touch_graph`, where no trigger of the database does it."""
    if not has_triggers(using):
        touch_graph(using)


def touch_person(user_pk: Any, using: str = DEFAULT_DB_ALIAS) -> None:
    """Let what is remembered of one person be asked again, in the transaction that is open."""
    if not PersonVersion.objects.using(using).filter(pk=user_pk).update(stamp=uuid4()):
        PersonVersion.objects.using(using).update_or_create(pk=user_pk, defaults={"stamp": uuid4()})


def has_triggers(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Say whether the database itself sees changes: on PostgreSQL; see `auth_rbac.database.triggers`."""
    return connections[using].vendor == "postgresql"
