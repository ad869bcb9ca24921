"""The trail cannot be changed with the ORM, with SQL, or after a migration."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.models.signals import post_migrate
from django.dispatch import Signal

from auth_audit import checks, receivers
from auth_audit.models import AuditEntry, Checkpoint, Seal, TrailIsAppendOnly, TreeNode
from auth_audit.storage import guards, partitions, test_databases
from auth_audit.storage.test_databases import NotATestDatabase, is_test_database, without_guards
from auth_core.events import AuthEvent, Event, record

STATEMENTS = {
    "UPDATE": "UPDATE {table} SET reason = 'forged'",
    "DELETE": "DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table}",
}


@pytest.fixture
def entry(db: None) -> AuditEntry:
    record(Event(name=AuthEvent.EMAIL_VERIFIED))
    return AuditEntry.objects.get()


def refuses(sql: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    except DatabaseError as error:
        return "append-only" in str(error)
    return False


@pytest.mark.asvs("16.4.2")
@pytest.mark.sqlite
@pytest.mark.parametrize("verb", ["UPDATE", "DELETE"])
def test_sqlite_refuses_update_and_delete(verb: str, entry: AuditEntry) -> None:
    assert refuses(STATEMENTS[verb].format(table=guards.TABLE))


@pytest.mark.asvs("16.4.2")
@pytest.mark.sqlite
@pytest.mark.parametrize("key", ["id", "rowid"])
def test_sqlite_refuses_to_replace(key: str, entry: AuditEntry) -> None:
    """REPLACE deletes the conflicting row without firing the DELETE trigger."""
    columns = [field.column for field in AuditEntry._meta.fields if field.column != "id"]
    keys = ["id", "rowid"]
    values = [name if name == key else "-1" if name == "rowid" else "lower(hex(randomblob(16)))" for name in keys]

    assert refuses(
        f"INSERT OR REPLACE INTO {guards.TABLE} ({', '.join([*keys, *columns])})"
        f" SELECT {', '.join([*values, *columns])} FROM {guards.TABLE}"
    )
    record(Event(name=AuthEvent.EMAIL_VERIFIED))
    assert AuditEntry.objects.count() == 2


def make_seal() -> None:
    Seal.objects.create(number=0, entry_id=UUID(int=1), leaf=b"l" * 32)


def make_node() -> None:
    TreeNode.objects.create(pk=1, level=8, index=0, value=b"n" * 32)


def make_checkpoint() -> None:
    Checkpoint.objects.create(size=1, body="{}", signature="s")


#: Tables of the sealer: how a row is created, a column to change, and rows that would replace it.
SEALER_TABLES: dict[str, tuple[Callable[[], None], str, list[dict[str, Any]]]] = {
    "auth_audit_seal": (
        make_seal,
        "leaf",
        [
            {"number": 0, "entry_id": UUID(int=2).hex, "leaf": b"f" * 32},
            {"number": 1, "entry_id": UUID(int=1).hex, "leaf": b"f" * 32},
        ],
    ),
    "auth_audit_treenode": (
        make_node,
        "value",
        [
            {"id": 1, "level": 8, "index": 1, "value": b"f" * 32},
            {"id": 2, "level": 8, "index": 0, "value": b"f" * 32},
        ],
    ),
    "auth_audit_checkpoint": (make_checkpoint, "body", [{"size": 1, "body": "forged", "signature": "s"}]),
}


@pytest.mark.asvs("16.4.2")
@pytest.mark.django_db
@pytest.mark.parametrize("table", SEALER_TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}"])
def test_each_sealer_table_refuses_update_and_delete(table: str, statement: str) -> None:
    make, column, _replacements = SEALER_TABLES[table]
    make()

    assert refuses(statement.format(table=table, column=column))


@pytest.mark.asvs("16.4.2")
@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("table", SEALER_TABLES)
def test_each_sealer_table_refuses_truncate(table: str) -> None:
    assert refuses(f"TRUNCATE {table}")


@pytest.mark.asvs("16.4.2")
@pytest.mark.sqlite
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("table", "number"), [(table, n) for table, of in SEALER_TABLES.items() for n in range(len(of[2]))]
)
def test_each_sealer_table_refuses_replace_by_any_key(table: str, number: int) -> None:
    make, _column, replacements = SEALER_TABLES[table]
    make()
    row = replacements[number]
    columns, marks = ", ".join(f'"{name}"' for name in row), ", ".join(["%s"] * len(row))

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", list(row.values()))


@pytest.mark.sqlite
@pytest.mark.django_db
def test_the_guard_against_replace_covers_every_unique_key() -> None:
    with connection.cursor() as cursor:
        for table, same in guards._SAME.items():
            constraints = connection.introspection.get_constraints(cursor, table).values()
            unique = {tuple(sorted(each["columns"])) for each in constraints if each["unique"] or each["primary_key"]}
            guarded = {tuple(sorted(re.findall(r"NEW\.\"?(\w+)", key))) for key in same.split(" OR ")}
            assert guarded == unique


@pytest.mark.asvs("16.4.2")
@pytest.mark.postgresql
def test_postgresql_refuses_to_replace(entry: AuditEntry) -> None:
    columns = ", ".join(field.column for field in AuditEntry._meta.fields)

    assert refuses(
        f"INSERT INTO {guards.TABLE} ({columns}) SELECT {columns} FROM {guards.TABLE}"
        " ON CONFLICT (id) DO UPDATE SET reason = 'forged'"
    )


@pytest.mark.asvs("16.4.2")
@pytest.mark.postgresql
@pytest.mark.parametrize("verb", STATEMENTS)
@pytest.mark.parametrize("place", ["parent", "partition"])
def test_postgresql_refuses_update_delete_and_truncate(verb: str, place: str, entry: AuditEntry) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {guards.TABLE}")
        (partition,) = cursor.fetchone()
    assert partition != guards.TABLE

    assert refuses(STATEMENTS[verb].format(table=guards.TABLE if place == "parent" else partition))


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("verb", STATEMENTS)
def test_an_empty_partition_refuses_truncate(verb: str) -> None:
    tables = partitions.names()

    assert len(tables) == 2 * 5
    assert all(refuses(f"TRUNCATE {table}") for table in tables)


def test_the_orm_refuses_changes(entry: AuditEntry) -> None:
    with pytest.raises(TrailIsAppendOnly):
        AuditEntry.objects.update(reason="forged")
    with pytest.raises(TrailIsAppendOnly):
        AuditEntry.objects.all().delete()
    with pytest.raises(TrailIsAppendOnly):
        entry.delete()
    with pytest.raises(TrailIsAppendOnly):
        entry.save()


@pytest.mark.django_db
def test_the_guards_exist_after_migrate() -> None:
    assert guards.missing() == []
    assert checks.check_guards(databases=["default"]) == []


@pytest.fixture
def later(settings: Any) -> Iterator[None]:
    """A later version of the package with one more migration."""
    settings.MIGRATION_MODULES = {"auth_audit": "later.migrations"}
    yield
    call_command("migrate", "auth_audit", "0001", verbosity=0)


@pytest.mark.asvs("16.4.2")
@pytest.mark.django_db(transaction=True)
def test_the_guards_exist_after_a_migration_that_recreates_the_table(later: None) -> None:
    """On SQLite Django copies the table and drops the old one with its triggers."""
    record(Event(name=AuthEvent.EMAIL_VERIFIED))

    with signal_muted(post_migrate, "auth_audit.prepare_table"):
        call_command("migrate", "auth_audit", "0002", verbosity=0)
    lost = guards.missing()
    call_command("migrate", "auth_audit", "0002", verbosity=0)

    assert bool(lost) == (connection.vendor == "sqlite"), "the case that this test covers"
    assert guards.missing() == []
    verbs = ["UPDATE", "DELETE"] if connection.vendor == "sqlite" else list(STATEMENTS)
    places = [guards.TABLE, *partitions.names()]
    assert [(verb, place) for verb in verbs for place in places if not is_refused(verb, place)] == []


@pytest.mark.django_db(transaction=True)
def test_the_migrations_can_be_reversed() -> None:
    call_command("migrate", "auth_audit", "zero", verbosity=0)
    remaining = remaining_objects()
    call_command("migrate", "auth_audit", verbosity=0)

    assert remaining == []
    assert guards.missing() == partitions.missing() == []


@pytest.mark.django_db(transaction=True)
def test_a_missing_guard_is_reported() -> None:
    with without_guards():
        errors = checks.check_guards(databases=["default"])

    assert errors
    assert {error.id for error in errors} == {"auth_audit.E001"}
    assert guards.missing() == []


@pytest.mark.asvs("16.4.2")
@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize("table", [*guards.PARTITIONED, *guards.SEALER_TABLES])
def test_tables_that_are_created_without_migrations_have_guards(table: str, settings: Any) -> None:
    """So does ``--nomigrations`` of pytest-django. Such tables are not partitioned."""
    settings.MIGRATION_MODULES = {"auth_audit": None}
    with connection.cursor() as cursor:
        for name in (*guards.PARTITIONED, *guards.SEALER_TABLES):
            cursor.execute(f"DROP TABLE {name} CASCADE")

    call_command("migrate", run_syncdb=True, verbosity=0)
    record(Event(name=AuthEvent.EMAIL_VERIFIED))

    assert guards.missing() == []
    assert refuses(f"TRUNCATE {table} CASCADE")
    assert AuditEntry.objects.count() == 1
    assert refuses(STATEMENTS["DELETE"].format(table=guards.TABLE))
    assert partitions.missing() == []
    assert [problem.id for problem in checks.check_partitioned_tables(databases=["default"])] == ["auth_audit.W002"]


@pytest.mark.django_db
def test_migrated_tables_are_partitioned_where_they_can_be() -> None:
    assert checks.check_partitioned_tables(databases=["default"]) == []


@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize(
    "sabotage",
    [
        "ALTER TABLE {table} DISABLE TRIGGER auth_audit_no_change",
        "ALTER TABLE {table} ENABLE REPLICA TRIGGER auth_audit_stamp",
        "ALTER TABLE {partition} DISABLE TRIGGER auth_audit_no_change",
        "ALTER TABLE {partition} DISABLE TRIGGER auth_audit_no_truncate",
        "DROP TRIGGER auth_audit_no_truncate ON {partition}",
        "CREATE OR REPLACE FUNCTION auth_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE OR REPLACE TRIGGER auth_audit_no_change BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW WHEN (false) EXECUTE FUNCTION auth_audit_refuse()",
        "CREATE OR REPLACE TRIGGER auth_audit_no_change BEFORE UPDATE OF name OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION auth_audit_refuse()",
        "CREATE OR REPLACE TRIGGER auth_audit_no_change BEFORE DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION auth_audit_refuse()",
    ],
)
def test_an_altered_guard_is_reported_and_installed_again(sabotage: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sabotage.format(table=guards.TABLE, partition=partitions.names()[0]))

    missing = guards.missing()
    guards.install()

    assert missing
    assert guards.missing() == []


@pytest.mark.sqlite
@pytest.mark.django_db
def test_an_altered_guard_on_sqlite_is_reported_and_installed_again() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER auth_audit_no_delete")
        cursor.execute(f"CREATE TRIGGER auth_audit_no_delete BEFORE DELETE ON {guards.TABLE} BEGIN SELECT 1; END")

    missing = guards.missing()
    guards.install()

    assert missing == [f"{guards.TABLE} auth_audit_no_delete"]
    assert guards.missing() == []


def record_one() -> None:
    with transaction.atomic():
        record(Event(name=AuthEvent.LOGIN_FAILED))


@pytest.mark.django_db(transaction=True)
def test_a_database_of_tests_is_flushed_and_guarded_again() -> None:
    record_one()

    call_command("flush", interactive=False, verbosity=0)

    assert AuditEntry.objects.count() == 0
    assert guards.missing() == []


def outside_a_test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("django.test.utils._TestState.saved_data")


def in_the_database_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(test_databases._configured_names, "default", str(connection.settings_dict["NAME"]))


def in_an_existing_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", "production")


def in_a_database_that_the_settings_did_not_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(test_databases._configured_names, "default")


@pytest.mark.parametrize(
    "place",
    [
        outside_a_test_environment,
        in_the_database_of_the_settings,
        in_an_existing_database,
        in_a_database_that_the_settings_did_not_name,
    ],
)
@pytest.mark.django_db
def test_elsewhere_the_trail_is_not_flushed_and_its_guards_stay(
    place: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    record_one()
    with monkeypatch.context() as patch:
        place(patch)

        with pytest.raises(CommandError, match="append-only"):
            call_command("flush", interactive=False, verbosity=0)
        with pytest.raises(NotATestDatabase), without_guards():
            pass

    assert AuditEntry.objects.count() == 1
    assert guards.missing() == []


@pytest.mark.parametrize(
    ("name", "configured", "test_name", "is_made_by_tests"),
    [
        ("test_shop", "shop", None, True),
        ("test_shop_2", "shop", None, True),
        ("shop_ci", "shop", "shop_ci", True),
        ("shop_ci_gw0_1", "shop", "shop_ci", True),
        ("/srv/kept_1.sqlite3", "/srv/shop.sqlite3", "/srv/kept.sqlite3", True),
        ("shop", "shop", "shop", False),
        ("shop", "shop", None, False),
        ("test_other", "shop", None, False),
        ("test_shopping", "shop", None, False),
        ("production", "shop", "shop_ci", False),
        ("/srv/live/kept_1.sqlite3", "/srv/shop.sqlite3", "/srv/kept.sqlite3", False),
    ],
)
@pytest.mark.django_db
def test_only_the_names_that_django_gives_to_test_databases_are_theirs(
    name: str, configured: str, test_name: str | None, is_made_by_tests: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(test_databases._configured_names, "default", configured)
        patch.setitem(connection.settings_dict, "NAME", name)
        patch.setitem(connection.settings_dict["TEST"], "NAME", test_name)

        assert is_test_database() is is_made_by_tests


def is_refused(verb: str, table: str) -> bool:
    """Return whether *verb* is refused. Without rows, UPDATE and DELETE have nothing to refuse."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        (rows,) = cursor.fetchone()
    return (rows == 0 and verb != "TRUNCATE") or refuses(STATEMENTS[verb].format(table=table))


def remaining_objects() -> list[str]:
    tables = [table for table in connection.introspection.table_names() if table.startswith("auth_audit")]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE name LIKE 'auth_audit%'")
        else:
            cursor.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'auth_audit%'")
        return tables + [name for (name,) in cursor.fetchall()]


@contextmanager
def signal_muted(signal: Signal, dispatch_uid: str) -> Iterator[None]:
    assert signal.disconnect(dispatch_uid=dispatch_uid)
    try:
        yield
    finally:
        signal.connect(receivers.prepare_table, dispatch_uid=dispatch_uid)
