"""Prepared statements."""

from collections.abc import Iterator

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from auth_core.runtime.prepared_statements import put

STATEMENT = "SELECT 40 + CAST(%(two)s AS integer) AS prepared_here"


def prepared() -> list[str]:
    """Return the prepared statements of this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor.fetchall() if "prepared_here" in statement]


def forty_two() -> list[tuple[object, ...]]:
    return put(connection, STATEMENT, {"two": 2})


@pytest.fixture
def fresh(transactional_db: None) -> Iterator[None]:
    """A connection without prepared statements."""
    connection.close()
    yield
    connection.close()


@pytest.mark.postgresql
def test_a_statement_is_prepared_once_and_others_are_not(fresh: None) -> None:
    assert [forty_two() for _time in range(3)] == [[(42,)]] * 3

    assert len(prepared()) == 1
    assert connection.connection.prepare_threshold is None


@pytest.mark.postgresql
def test_a_statement_used_once_is_prepared_with_its_second_use(fresh: None) -> None:
    counts = []
    for _time in range(3):
        put(connection, STATEMENT, {"two": 2}, uses_before=1)
        counts.append(len(prepared()))

    assert counts == [0, 1, 1]


@pytest.mark.postgresql
def test_nothing_is_prepared_behind_a_pooler_or_while_counting(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert forty_two() == [(42,)]
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    assert forty_two() == [(42,)]

    assert len(queries) == 1
    assert prepared() == []


@pytest.mark.django_db
def test_results_are_the_same_on_every_database() -> None:
    assert forty_two() == [(42,)]
    assert put(connection, "UPDATE auth_core_pendinglogin SET score = %s WHERE score = %s", [1, 2]) == []


@pytest.mark.django_db
def test_a_database_error_is_a_django_error() -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        put(connection, "SELECT nothing FROM nowhere", [])


@pytest.mark.django_db
def test_a_broken_transaction_refuses_statements() -> None:
    with pytest.raises(TransactionManagementError), transaction.atomic():
        transaction.set_rollback(True)
        forty_two()
