"""An attacker with the superuser of the database: disables triggers and recomputes every hash that needs no key."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from auth_audit.models import AuditEntry, Checkpoint, Seal, TreeNode
from auth_audit.offline_verifier import canonical_json, root_hash
from auth_audit.seal import leaves, merkle
from auth_audit.seal.tree import StoredTree
from auth_audit.storage.test_databases import without_guards

ENTRIES, SEALS, NODES, CHECKPOINTS = (model._meta.db_table for model in (AuditEntry, Seal, TreeNode, Checkpoint))
TABLES = (ENTRIES, SEALS, NODES, CHECKPOINTS)


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
