"""Guards: triggers that refuse to change, delete or truncate the trail.

On PostgreSQL a row trigger on the parent also applies to each partition. A TRUNCATE trigger does not, so each
partition has its own. On SQLite a table that a migration recreates loses its triggers, so they are installed
again after every migration.

Guards stop mistakes and attackers who can run SQL as the service. The owner of the table can remove them.
`missing` detects that, and MACs and seals reveal the changes.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

if TYPE_CHECKING:
    from django.db.backends.utils import CursorWrapper

TABLE = "auth_audit_auditentry"

#: The keys of the personal values. A key may be wrapped again, and `dropping_keys` may delete it.
KEY_TABLE = "auth_audit_personalkey"

#: Tables that are partitioned by month on PostgreSQL.
PARTITIONED = (TABLE, KEY_TABLE)

#: Tables that the sealer writes. They are append-only as well.
SEALER_TABLES = ("auth_audit_seal", "auth_audit_treenode", "auth_audit_checkpoint")

_REFUSAL = "The audit trail is append-only."

#: The setting of a transaction on PostgreSQL in which keys may be deleted.
_DROPPING = "auth_audit.dropping_keys"

#: The trigger functions on PostgreSQL. The second sets the time and the transaction, so that an INSERT cannot
#: choose them. The third lets a key be wrapped again or dropped, and refuses everything else.
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
    "auth_audit_keep_key": f"""
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('{_DROPPING}', true) = 'yes' THEN RETURN OLD; END IF;
  IF TG_OP = 'UPDATE' THEN
    IF (NEW.id, NEW.person_id, NEW.address) IS NOT DISTINCT FROM (OLD.id, OLD.person_id, OLD.address) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
END
""",
}


class _Trigger(NamedTuple):
    """A trigger on PostgreSQL.

    Args:
        name: Its name.
        timing: When it fires, as SQL.
        kind: The same as encoded in the catalogue (``pg_trigger.tgtype``).
        function: The function it calls.
    """

    name: str
    timing: str
    kind: int
    function: str


class _InstalledTrigger(NamedTuple):
    """A trigger in the catalogue of PostgreSQL: a row of `_INTACT`."""

    table: str
    name: str
    kind: int
    function: str
    body: str


_ROW_TRIGGERS = (
    _Trigger("auth_audit_no_change", "BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW", 27, "auth_audit_refuse"),
    _Trigger("auth_audit_stamp", "BEFORE INSERT ON {table} FOR EACH ROW", 7, "auth_audit_stamp"),
)

_KEY_TRIGGER = _Trigger(
    "auth_audit_keep_key", "BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW", 27, "auth_audit_keep_key"
)

_TRUNCATE_TRIGGER = _Trigger(
    "auth_audit_no_truncate", "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT", 34, "auth_audit_refuse"
)

#: On SQLite ``INSERT OR REPLACE`` deletes the row it replaces without firing the DELETE trigger.
_SQLITE_TRIGGERS = {
    "no_update": "BEFORE UPDATE ON {table}",
    "no_delete": "BEFORE DELETE ON {table}",
    "no_replace": "BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same} OR rowid = NEW.rowid)",
}

#: The condition of the trigger ``no_update`` on the table of keys: anything but the wrapped key changes.
_KEY_CHANGES = " WHEN OLD.id IS NOT NEW.id OR OLD.person_id IS NOT NEW.person_id OR OLD.address IS NOT NEW.address"

#: Conditions under which a new row would replace an existing one: one for each unique key of the table.
_SAME = {
    TABLE: "id = NEW.id",
    KEY_TABLE: "id = NEW.id",
    "auth_audit_seal": "number = NEW.number OR entry_id = NEW.entry_id",
    "auth_audit_treenode": 'id = NEW.id OR (level = NEW.level AND "index" = NEW."index")',
    "auth_audit_checkpoint": "size = NEW.size",
}

#: The intact guards: enabled, without a condition, for every column, with their function.
_INTACT = """
SELECT t.tgrelid::regclass::text, t.tgname, t.tgtype, p.proname, p.prosrc
FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgrelid::regclass::text = ANY(%s)
AND t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL AND t.tgattr = ''
"""


def install(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Install every missing guard. If none is missing, nothing is locked or changed."""
    if not missing(alias):
        return
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            _install_postgresql(connection, cursor)
        elif connection.vendor == "sqlite":
            _install_sqlite(cursor)


def install_on_partition(partition: str, alias: str = DEFAULT_DB_ALIAS) -> None:
    """Install the trigger that a new partition does not inherit."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(_create(_TRUNCATE_TRIGGER, connection.ops.quote_name(partition)))


def remove(alias: str = DEFAULT_DB_ALIAS) -> None:
    """Remove all guards and their functions: before the table is dropped, and in tests."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for function in _FUNCTIONS:
                cursor.execute(f"DROP FUNCTION IF EXISTS {function}() CASCADE")
        elif connection.vendor == "sqlite":
            for name in _sqlite_triggers((*PARTITIONED, *SEALER_TABLES)):
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")


@contextmanager
def dropping_keys(alias: str) -> Iterator[None]:
    """Let keys of personal values be deleted inside the block, which is one transaction.

    SQLite has no settings of a transaction, so its trigger is removed and created again.
    """
    connection = connections[alias]
    name = f"{KEY_TABLE}_no_delete"
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT set_config(%s, 'yes', true)", [_DROPPING])
            yield
            cursor.execute("SELECT set_config(%s, '', true)", [_DROPPING])
        else:
            cursor.execute(f"DROP TRIGGER {name}")
            yield
            cursor.execute(_sqlite_triggers([KEY_TABLE])[name][1])


def table_exists(alias: str = DEFAULT_DB_ALIAS) -> bool:
    """Return whether this database has the table."""
    return TABLE in connections[alias].introspection.table_names()


def missing(alias: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Return the missing or altered guards, as ``table trigger``. Without the table, none."""
    if not table_exists(alias):
        return []
    connection = connections[alias]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return _missing_postgresql(cursor)
        if connection.vendor == "sqlite":
            return _missing_sqlite(cursor)
        return [f"{TABLE}: {connection.vendor} is not supported"]


def tables(cursor: "CursorWrapper", table: str = TABLE) -> list[str]:
    """Return *table* and its partitions (PostgreSQL). A table that was created without migrations has none."""
    cursor.execute(
        "SELECT relid::regclass::text FROM pg_partition_tree(%s::regclass) UNION SELECT %s::regclass::text",
        [table, table],
    )
    return [name for (name,) in cursor.fetchall()]


def _guarded_postgresql(cursor: "CursorWrapper") -> dict[str, tuple[_Trigger, ...]]:
    """Return the expected triggers of each table. The sealer's tables are left out until they exist."""
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND pg_table_is_visible(oid)", [list(SEALER_TABLES)]
    )
    guarded = {name: (_ROW_TRIGGERS[0], _TRUNCATE_TRIGGER) for (name,) in cursor.fetchall()}
    guarded |= dict.fromkeys(tables(cursor, KEY_TABLE), (_KEY_TRIGGER, _TRUNCATE_TRIGGER))
    return guarded | dict.fromkeys(tables(cursor), (*_ROW_TRIGGERS, _TRUNCATE_TRIGGER))


def _missing_postgresql(cursor: "CursorWrapper") -> list[str]:
    guarded = _guarded_postgresql(cursor)
    expected = {
        _InstalledTrigger(table, trigger.name, trigger.kind, trigger.function, _FUNCTIONS[trigger.function])
        for table, triggers in guarded.items()
        for trigger in triggers
    }
    cursor.execute(_INTACT, [list(guarded)])
    intact = {_InstalledTrigger(*row) for row in cursor.fetchall()}
    return sorted(f"{trigger.table} {trigger.name}" for trigger in expected - intact)


def _missing_sqlite(cursor: "CursorWrapper") -> list[str]:
    expected = _sqlite_triggers(_tables_sqlite(cursor))
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    existing = dict(cursor.fetchall())
    return sorted(f"{table} {name}" for name, (table, sql) in expected.items() if existing.get(name) != sql)


def _install_postgresql(connection: BaseDatabaseWrapper, cursor: "CursorWrapper") -> None:
    for function, body in _FUNCTIONS.items():
        cursor.execute(f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
    partitions = {partition for table in PARTITIONED for partition in tables(cursor, table)} - {*PARTITIONED}
    for table, triggers in _guarded_postgresql(cursor).items():
        for trigger in triggers:
            # A partition inherits the row triggers of its parent, but not the TRUNCATE trigger.
            if table not in partitions or trigger is _TRUNCATE_TRIGGER:
                cursor.execute(_create(trigger, connection.ops.quote_name(table)))


def _install_sqlite(cursor: "CursorWrapper") -> None:
    for name, (_table, sql) in _sqlite_triggers(_tables_sqlite(cursor)).items():
        cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        cursor.execute(sql)


def _create(trigger: _Trigger, table: str) -> str:
    timing = trigger.timing.format(table=table)
    return f"CREATE OR REPLACE TRIGGER {trigger.name} {timing} EXECUTE FUNCTION {trigger.function}()"


def _tables_sqlite(cursor: "CursorWrapper") -> list[str]:
    cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    existing = {name for (name,) in cursor.fetchall()}
    return [table for table in (*PARTITIONED, *SEALER_TABLES) if table in existing]


def _sqlite_triggers(tables: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return the table and the CREATE statement of each trigger, by name."""
    triggers = {}
    for table in tables:
        prefix = "auth_audit" if table == TABLE else table
        for name, sql in _SQLITE_TRIGGERS.items():
            trigger = f"{prefix}_{name}"
            timing = sql.format(table=table, same=_SAME[table])
            timing += _KEY_CHANGES if (table, name) == (KEY_TABLE, "no_update") else ""
            triggers[trigger] = (
                table,
                f"CREATE TRIGGER {trigger} {timing} BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
            )
    return triggers
