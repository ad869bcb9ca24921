"""The INSERT of an entry is prepared if possible, and writes the same row either way."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from auth_audit.append import insert_statement, macs
from auth_audit.models import AuditEntry
from auth_audit.personal.readable_entry import read_one
from auth_audit.testing.trail import recorded
from auth_core.events import AuthEvent, Event, record, recorded_together
from auth_core.models import Identity
from auth_core.request.client import Client
from auth_core.testing.factories import make_user

#: Events that leave different columns empty.
EVENTS = [
    {},
    {"session": uuid4(), "application": uuid4()},
    {"client": Client(ip="2001:db8::1", network="2001:db8::", user_agent="Firefox")},
    {"data": {"kind": "totp"}, "changes": {"name": {"before": None, "after": "é\x00"}}},
]


def prepared() -> list[str]:
    """Return the prepared statements of this connection that write entries."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall() if AuditEntry._meta.db_table in statement]


def comparable(entry: AuditEntry) -> tuple[dict[str, Any], str, str | None]:
    """Return what two entries of one event have in common. Ciphertexts always differ."""
    columns = {name: value for name, value in macs.covered_columns(entry).items() if name not in ("id", "personal")}
    read = read_one(entry)
    return columns, json.dumps([read.changes, read.data]), read.ip


def record_challenge(**details: Any) -> None:
    record(Event(name=AuthEvent.LOGIN_CHALLENGED, **details))


@pytest.fixture
def new_connection(transactional_db: None) -> Iterator[None]:
    """A connection that has executed no statement."""
    connection.close()
    yield
    connection.close()


@pytest.mark.postgresql
def test_the_statement_is_prepared_from_the_second_entry_on(new_connection: None) -> None:
    record_challenge()
    after_one = prepared()
    for details in [*EVENTS, *EVENTS]:
        record_challenge(**details)

    assert after_one == []
    assert len(prepared()) == 2, "one for entries with a key of personal values, one for those without"
    assert connection.connection.prepare_threshold is None, "no other statement is prepared"


@pytest.mark.postgresql
def test_behind_a_pooler_nothing_is_prepared(new_connection: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)

    for details in EVENTS:
        record_challenge(**details)

    assert prepared() == []
    assert len(recorded()) == len(EVENTS)


@pytest.mark.postgresql
def test_entries_are_written_after_a_rollback(new_connection: None) -> None:
    for _round in range(3):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            record_challenge()
            record_challenge()
            _ = 1 / 0
        with transaction.atomic():
            with pytest.raises(ZeroDivisionError), transaction.atomic():
                record_challenge()
                _ = 1 / 0
            record_challenge()

    assert len(recorded()) == 3


@pytest.mark.django_db
@pytest.mark.parametrize("details", EVENTS)
def test_an_entry_is_the_same_with_and_without_captured_queries(details: dict[str, Any]) -> None:
    with CaptureQueriesContext(connection) as queries:
        record_challenge(**details)
    record_challenge(**details)
    record_challenge(**details)

    captured, *others = recorded("auth.login.challenged")
    assert len([query for query in queries if "INSERT" in query["sql"]]) == (
        1 if connection.vendor == "postgresql" else 1 + len(captured.personal)
    )
    assert len(others) == 2
    for other in others:
        assert comparable(other) == comparable(captured)
    assert all(macs.verifies(entry) for entry in (captured, *others))


@pytest.mark.django_db
def test_a_broken_transaction_accepts_no_entry() -> None:
    with pytest.raises(TransactionManagementError), transaction.atomic():
        transaction.set_rollback(True)
        record_challenge()


@pytest.mark.django_db
def test_a_refusal_of_the_database_is_a_django_error() -> None:
    row = macs.with_mac({field.attname: None for field in insert_statement.written_fields()})

    with pytest.raises(DatabaseError), transaction.atomic():
        insert_statement.insert(row)


def entries() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("name", flat=True))


@pytest.mark.django_db
def test_the_entries_of_a_login_are_inserted_together_at_its_end() -> None:
    with CaptureQueriesContext(connection) as queries, recorded_together():
        record_challenge(**EVENTS[0])
        record_challenge(**EVENTS[2])
        assert entries() == []

    assert entries() == ["auth.login.challenged"] * 2
    assert all(macs.verifies(entry) for entry in AuditEntry.objects.all())
    if connection.vendor == "postgresql":
        assert len([query for query in queries if "INSERT" in query["sql"]]) == 1


@pytest.mark.django_db
def test_a_rollback_to_a_savepoint_removes_its_entries_alone() -> None:
    with recorded_together():
        record_challenge()
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            record_challenge(reason="undone")
            _ = 1 / 0
        with transaction.atomic():
            record_challenge(reason="kept")

    assert sorted(AuditEntry.objects.values_list("reason", flat=True)) == ["", "kept"]


@pytest.mark.django_db
def test_a_failed_login_leaves_no_entry_and_the_next_one_its_own() -> None:
    with pytest.raises(ZeroDivisionError), recorded_together():
        record_challenge(reason="undone")
        _ = 1 / 0
    with recorded_together():
        record_challenge(reason="kept")
    record_challenge(reason="alone")

    assert list(AuditEntry.objects.order_by("id").values_list("reason", flat=True)) == ["kept", "alone"]


@pytest.mark.django_db
def test_entries_that_cannot_be_inserted_undo_the_login(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(entries: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(insert_statement, "insert_all", refuse)

    with pytest.raises(DatabaseError), recorded_together():
        Identity.objects.get_or_create(user=make_user("bob@example.org"))
        record_challenge()

    assert not Identity.objects.exists()


@pytest.mark.django_db
def test_the_last_statement_comes_after_the_entries() -> None:
    seen: list[list[str]] = []

    with recorded_together(last=lambda: seen.append(entries())):
        record_challenge()

    assert seen == [["auth.login.challenged"]]
