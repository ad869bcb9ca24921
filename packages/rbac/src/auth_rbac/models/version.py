"""The versions under which decisions are cached.

A version is a random value and not a count. A rolled-back change would return its number, and the
next change would reuse a number under which another decision is cached.
"""

from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, models

#: The rows of `GraphVersion`.
_VERSION, LOCK = 1, 2


class PersonVersion(models.Model):
    """A value that changes with everything that one person holds. Without a row, nothing has changed yet.

    There is no constraint to the user. When a person is deleted, the triggers on the deleted rows write this
    row once more. It does no harm.
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


class ServiceVersion(models.Model):
    """A value that changes with everything that one service holds, as `PersonVersion` for a person."""

    service_id = models.UUIDField(primary_key=True)
    stamp = models.UUIDField(default=uuid4)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.pk}: {self.stamp}"


class GraphVersion(models.Model):
    """A value that changes with everything that concerns more than one person. A second row serves as the lock.

    The lock has a row of its own: taking it changes nothing, so it must not invalidate cached decisions.
    """

    slot = models.PositiveSmallIntegerField(primary_key=True, default=1)
    stamp = models.UUIDField(default=uuid4)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.stamp)


def lock_graph() -> None:
    """Wait for concurrent changes of the graph or of administrators, and block others until the transaction ends.

    It must be the first statement of such a change, which then reads what the previous change committed. It is
    a write, so that SQLite takes its lock as well.
    """
    _write(LOCK, DEFAULT_DB_ALIAS)


def touch_graph(using: str = DEFAULT_DB_ALIAS) -> None:
    """Invalidate all cached decisions, in the current transaction."""
    _write(_VERSION, using)


def _write(slot: int, using: str) -> None:
    rows = GraphVersion.objects.using(using)
    if not rows.filter(slot=slot).update(stamp=uuid4()):
        rows.update_or_create(slot=slot, defaults={"stamp": uuid4()})


def touch_graph_unless_triggers(using: str = DEFAULT_DB_ALIAS) -> None:
    """Call `touch_graph` on databases without triggers."""
    if not has_triggers(using):
        touch_graph(using)


def touch_person(user_pk: Any, using: str = DEFAULT_DB_ALIAS) -> None:
    """Invalidate the cached decisions about one person, in the current transaction."""
    _touch(PersonVersion, user_pk, using)


def touch_service(service_id: UUID, using: str = DEFAULT_DB_ALIAS) -> None:
    """Invalidate the cached decisions about one service, in the current transaction."""
    _touch(ServiceVersion, service_id, using)


def _touch(model: type[PersonVersion | ServiceVersion], pk: Any, using: str) -> None:
    rows = model._default_manager.using(using)
    if not rows.filter(pk=pk).update(stamp=uuid4()):
        rows.update_or_create(pk=pk, defaults={"stamp": uuid4()})


def has_triggers(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Tell whether the database has triggers that change the versions. See `auth_rbac.database.triggers`."""
    return connections[using].vendor == "postgresql"
