"""The connection pool: no statement per request, and no error after the server ended its connections."""

from collections.abc import Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection
from psycopg_pool import ConnectionPool

from enterprise_auth.postgresql import base
from enterprise_auth.postgresql.base import DatabaseWrapper

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pooled() -> Iterator[DatabaseWrapper]:
    """A connection with a pool of its own, with one connection."""
    changes = {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": True, "OPTIONS": {"pool": {"min_size": 1, "max_size": 1}}}
    wrapper = DatabaseWrapper({**connection.settings_dict, **changes}, alias="pooled")
    yield wrapper
    wrapper.close()
    wrapper.close_pool()


@pytest.fixture
def empty_statements(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The connections that were checked with a statement."""
    checked: list[Any] = []
    check = ConnectionPool.check_connection

    def counted(pooled_connection: Any) -> None:
        checked.append(pooled_connection)
        check(pooled_connection)

    monkeypatch.setattr(ConnectionPool, "check_connection", staticmethod(counted))
    return checked


def process_of(wrapper: DatabaseWrapper) -> int:
    """Use the connection as one request does. Return the server's process."""
    with wrapper.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        process: int = cursor.fetchone()[0]
    wrapper.close()
    return process


def test_of_many_requests_one_checks_with_a_statement(empty_statements: list[Any], pooled: DatabaseWrapper) -> None:
    processes = {process_of(pooled) for _request in range(10)}

    assert len(processes) == 1
    assert len(empty_statements) == 1


def test_after_a_while_a_connection_is_checked_with_a_statement(
    empty_statements: list[Any], pooled: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "time", SimpleNamespace(monotonic=count(0, 6).__next__))

    for _request in range(3):
        process_of(pooled)

    assert len(empty_statements) == 3


def test_a_connection_that_the_server_ended_is_replaced(empty_statements: list[Any], pooled: DatabaseWrapper) -> None:
    before = process_of(pooled)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [before])

    assert process_of(pooled) != before


def test_without_the_check_the_lost_connection_would_be_an_error(
    pooled: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = process_of(pooled)
    monkeypatch.setattr(base, "_has_input", lambda _connection: False)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [before])

    with pytest.raises(OperationalError):
        process_of(pooled)
