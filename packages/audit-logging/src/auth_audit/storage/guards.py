"""Guards: triggers that refuse to change, remove or empty the trail.

On PostgreSQL a row's trigger on the parent stands on each partition, too; one for
TRUNCATE does not, and is laid on each. On SQLite a table that Django remakes loses its
triggers without a word: they are laid again after every migration.

They stop mistakes, and whoever got hold of the service's statements. The owner of the
table can take them away; `missing` sees it, and MACs and seals find what was done.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "auth_audit_auditentry"

#: What the sealer writes: as little to be changed as the entries.
SEALED = ("auth_audit_seal", "auth_audit_treenode", "auth_audit_checkpoint")

_REFUSAL = "The audit trail is append-only."

#: What the triggers run on PostgreSQL. The second makes sure of clock and transaction: whoever
#: inserts cannot say another.
_FUNCTIONS = {
    "auth_audit_refuse": f"""
BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END
""",
    "auth_audit_stamp": """
BEGIN
  NEW.transaction_id := pg_current_xact_id()::text::bigint;
  NEW.recorded_at := statement_timestamp();
  RETURN NEW;
END
""",
}


class _Trigger(NamedTuple):
    """A trigger on PostgreSQL: *kind* is how the catalogue encodes when it fires (``pg_trigger.tgtype``)."""

    name: str
    fires: str
    kind: int
    function: str


_ROW_TRIGGERS = (
    _Trigger("auth_audit_no_change", "BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW", 27, "auth_audit_refuse"),
    _Trigger("auth_audit_stamp", "BEFORE INSERT ON {table} FOR EACH ROW", 7, "auth_audit_stamp"),
)

_TRUNCATE_TRIGGER = _Trigger(
    "auth_audit_no_truncate", "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT", 34, "auth_audit_refuse"
)

#: On SQLite; ``INSERT OR REPLACE`` removes the row it replaces without firing what stands against DELETE.
_SQLITE_TRIGGERS = {
    "no_update": "BEFORE UPDATE ON {table}",
    "no_delete": "BEFORE DELETE ON {table}",
    "no_replace": "BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same} OR rowid = NEW.rowid)",
}

#: When a new row would replace one that is there: for each unique key of the table, not for its primary key alone.
_SAME = {
    TABLE: "id = NEW.id",
    "auth_audit_seal": "number = NEW.number OR entry_id = NEW.entry_id",
    "auth_audit_treenode": 'id = NEW.id OR (level = NEW.level AND "index" = NEW."index")',
    "auth_audit_checkpoint": "size = NEW.size",
}

#: Guards as they should be: enabled, unconditional, for every column, with the function that we wrote.
_STANDING = """
SELECT t.tgrelid::regclass::text, t.tgname, t.tgtype, p.proname, p.prosrc
FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid::regclass::text = ANY(%s)
AND t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL AND t.tgattr = ''
"""


def lay(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Lay every guard that does not stand; where all stand nothing is locked and nothing is changed."""
    if not missing(alias):
        return
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _lay_postgresql(connection, cursor)
        elif connection.vendor == "sqlite":
            _lay_sqlite(cursor)


def lay_on(partition: str, alias: str = DEFAULT_DB_ALIAS) -> None:
    """Lay what a new partition does not inherit."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(_create(_TRUNCATE_TRIGGER, connection.ops.quote_name(partition)))


def lift(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Take all guards away, with what they run: before the table goes, and in tests."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for function in _FUNCTIONS:
                cursor.execute(f"DROP FUNCTION IF EXISTS {function}() CASCADE")
        elif connection.vendor == "sqlite":
            for name in _sqlite_triggers((TABLE, *SEALED)):
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


def table_stands(alias: str = DEFAULT_DB_ALIAS) -> bool:
    """Say whether this database has the table."""
    return TABLE in connections[alias].introspection.table_names()


def missing(alias: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return which guards do not stand as they should, as ``table trigger``; where there is no table, none."""
    if not table_stands(alias):
        return []
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _missing_postgresql(cursor)
        if connection.vendor == "sqlite":
            return _missing_sqlite(cursor)
        return [f"{TABLE}: {connection.vendor} is not supported"]


def tables(cursor: Any) -> list[str]:
    """Return the table and its partitions (PostgreSQL)."""
    cursor.execute("SELECT relid::regclass::text FROM pg_partition_tree(%s::regclass)", [TABLE])
    return [name for (name,) in cursor.fetchall()]


def _guarded_postgresql(cursor: Any) -> dict[str, tuple[_Trigger, ...]]:
    """Return which triggers each table should have; before the sealer's tables are made, they have none."""
    cursor.execute("SELECT relname FROM pg_class WHERE relname = ANY(%s) AND pg_table_is_visible(oid)", [list(SEALED)])
    guarded = {name: (_ROW_TRIGGERS[0], _TRUNCATE_TRIGGER) for (name,) in cursor.fetchall()}
    return guarded | dict.fromkeys(tables(cursor), (*_ROW_TRIGGERS, _TRUNCATE_TRIGGER))


def _missing_postgresql(cursor: Any) -> list[str]:
    guarded = _guarded_postgresql(cursor)
    wanted = {
        (table, trigger.name, trigger.kind, trigger.function, _FUNCTIONS[trigger.function])
        for table, triggers in guarded.items()
        for trigger in triggers
    }
    cursor.execute(_STANDING, [list(guarded)])
    return sorted(f"{table} {name}" for table, name, *_how in wanted - set(cursor.fetchall()))


def _missing_sqlite(cursor: Any) -> list[str]:
    wanted = _sqlite_triggers(_tables_sqlite(cursor))
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    standing = dict(cursor.fetchall())
    return sorted(f"{table} {name}" for name, (table, sql) in wanted.items() if standing.get(name) != sql)


def _lay_postgresql(connection: BaseDatabaseWrapper, cursor: Any) -> None:
    for function, body in _FUNCTIONS.items():
        cursor.execute(f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    partitions = set(tables(cursor)) - {TABLE}
    for table, triggers in _guarded_postgresql(cursor).items():
        for trigger in triggers:
            # A partition has its parent's triggers for rows; one for TRUNCATE it does not.
            if table not in partitions or trigger is _TRUNCATE_TRIGGER:
                cursor.execute(_create(trigger, connection.ops.quote_name(table)))


def _lay_sqlite(cursor: Any) -> None:
    for name, (_table, sql) in _sqlite_triggers(_tables_sqlite(cursor)).items():
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(sql)


def _create(trigger: _Trigger, table: str) -> str:
    fires = trigger.fires.format(table=table)
    return f"CREATE OR REPLACE TRIGGER {trigger.name} {fires} EXECUTE FUNCTION {trigger.function}()"


def _tables_sqlite(cursor: Any) -> list[str]:
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    standing = {name for (name,) in cursor.fetchall()}
    return [table for table in (TABLE, *SEALED) if table in standing]


def _sqlite_triggers(tables: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return every trigger by name: its table, and the statement that makes it."""
    made = {}
    for table in tables:
        part = "auth_audit" if table == TABLE else table
        for name, fires in _SQLITE_TRIGGERS.items():
            trigger = f"{part}_{name}"
            told = fires.format(table=table, same=_SAME[table])
            made[trigger] = (table, f"CREATE TRIGGER {trigger} {told} BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END")
    return made
