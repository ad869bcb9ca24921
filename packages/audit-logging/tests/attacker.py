"""An attacker with the superuser of the database: disables triggers and recomputes every hash that needs no key.

Also the entries that are attacked.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from auth_audit.models import AuditEntry, Checkpoint, Seal, TreeNode
from auth_audit.offline_verifier import canonical_json, root_hash
from auth_audit.seal import checkpoints, leaves, merkle
from auth_audit.seal.tree import StoredTree
from auth_audit.storage.test_databases import without_guards
from auth_core.events import AuthEvent, Event, EventOutcome, record

ENTRIES, SEALS, NODES, CHECKPOINTS = (model._meta.db_table for model in (AuditEntry, Seal, TreeNode, Checkpoint))
TABLES = (ENTRIES, SEALS, NODES, CHECKPOINTS)


def append(count: int = 1) -> None:
    """Append entries of failed logins, each with another reason."""
    for number in range(count):
        record(Event(name=AuthEvent.LOGIN_FAILED, outcome=EventOutcome.FAILURE, reason=f"password{number}"))


def newest() -> dict[str, Any]:
    """Return the newest checkpoint."""
    checkpoint = checkpoints.latest("default")
    assert checkpoint is not None
    return checkpoint.signed


def run(sql: str, parameters: Any = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


@contextmanager
def unguarded() -> Iterator[None]:
    """Disable the triggers. On PostgreSQL, as a superuser can, without a trace in the catalogue."""
    if connection.vendor == "postgresql":
        run("SET session_replication_role = replica")
        try:
            yield
        finally:
            run("SET session_replication_role = DEFAULT")
    else:
        with without_guards():
            yield


def key(value: Any) -> Any:
    """Return a UUID as this database stores it."""
    return value if connection.vendor == "postgresql" else value.hex


def swap_seals(first: int, second: int) -> None:
    """Swap the numbers of two entries."""
    run(f"UPDATE {SEALS} SET number = -1 WHERE number = %s", [first])
    run(f"UPDATE {SEALS} SET number = %s WHERE number = %s", [first, second])
    run(f"UPDATE {SEALS} SET number = %s WHERE number = -1", [second])


def cut_tail(number: int) -> None:
    """Delete everything from *number* on, where a batch begins. The rest is consistent."""
    entries = list(Seal.objects.filter(number__gte=number).values_list("entry_id", flat=True))
    run(f"DELETE FROM {SEALS} WHERE number >= %s", [number])
    run(f"DELETE FROM {CHECKPOINTS} WHERE size > %s", [number])
    for entry in entries:
        run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(entry)])


def recompute_hashes() -> None:
    """Recompute leaves, nodes and roots from the stored entries. Only MACs and signatures cannot be forged."""
    entries = {entry.pk: entry for entry in AuditEntry.objects.all()}
    for seal in Seal.objects.all():
        if seal.entry_id in entries:
            run(f"UPDATE {SEALS} SET leaf = %s WHERE number = %s", [leaves.leaf(entries[seal.entry_id]), seal.number])
    run(f"DELETE FROM {NODES}")
    size = Seal.objects.count()
    tree = StoredTree("default")
    tree.grow(0, size)
    leaf_hashes = [bytes(leaf) for leaf in Seal.objects.order_by("number").values_list("leaf", flat=True)]
    for checkpoint in Checkpoint.objects.all():
        body = json.loads(checkpoint.body)
        body["root"] = merkle.root(min(body["size"], size), tree.node).hex()
        body["batch"] = root_hash(leaf_hashes[body["previous"] : body["size"]]).hex()
        run(f"UPDATE {CHECKPOINTS} SET body = %s WHERE size = %s", [canonical_json(body).decode(), checkpoint.size])


def dump() -> dict[str, list[tuple[Any, ...]]]:
    """Back up the trail."""
    backup = {}
    for table in TABLES:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")
            backup[table] = cursor.fetchall()
    return backup


def restore(backup: dict[str, list[tuple[Any, ...]]]) -> None:
    """Replace all rows by those of a backup."""
    for table in backup:
        run(f"DELETE FROM {table}")
    add(backup)


def add(backup: dict[str, list[tuple[Any, ...]]]) -> None:
    """Add rows to the existing ones."""
    for table, rows in backup.items():
        for row in rows:
            run(f"INSERT INTO {table} VALUES ({', '.join(['%s'] * len(row))})", list(row))
