"""The partition of each month exists before the month begins."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection

from auth_audit import checks
from auth_audit.models import AuditEntry
from auth_audit.personal.readable_entry import read
from auth_audit.storage import guards, partitions
from auth_audit.storage.default_partition import empty_default
from auth_audit.testing.trail import seal_everything
from auth_audit.verify.verification import verify
from auth_core.events import AuthEvent, Event, record
from auth_core.registries import sweeps
from auth_core.request.client import Client
from auth_core.testing.parallel import at_once

pytestmark = pytest.mark.postgresql

#: A month so far ahead that it has no partition.
LATER = datetime(2051, 11, 24, tzinfo=UTC)

PARTITIONS_LATER = [
    f"{table}_{month}" for month in ("2051_11", "2051_12", "2052_01", "2052_02") for table in guards.PARTITIONED
]


def partition_of(entry: AuditEntry) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {guards.TABLE} WHERE id = %s", [entry.pk])
        (partition,) = cursor.fetchone()
    return str(partition)


def key_partition_of(entry: AuditEntry) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {guards.KEY_TABLE} WHERE id = %s", [entry.pk])
        (partition,) = cursor.fetchone()
    return str(partition)


def recorded_now() -> AuditEntry:
    record(Event(name=AuthEvent.EMAIL_VERIFIED, client=Client(ip="192.0.2.1")))
    return AuditEntry.objects.latest("id")


@pytest.mark.django_db
def test_the_first_migration_creates_this_month_and_three_more() -> None:
    assert len(partitions.names()) == 2 * (4 + len(["default"]))
    assert partitions.missing() == []


@pytest.mark.django_db
def test_an_entry_is_in_the_partition_of_its_month() -> None:
    entry = recorded_now()

    assert partition_of(entry) == f"{guards.TABLE}_{entry.recorded_at:%Y_%m}"
    assert key_partition_of(entry) == f"{guards.KEY_TABLE}_{entry.recorded_at:%Y_%m}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "make",
    [
        lambda: call_command("audit_partitions", verbosity=0),
        lambda: call_command("migrate", verbosity=0),
        dict(sweeps.items())["auth_audit.partitions"],
    ],
    ids=["command", "migrate", "sweep"],
)
def test_partitions_created_later_have_guards(make: Callable[[], Any]) -> None:
    with time_machine.travel(LATER, tick=False):
        make()

        assert set(PARTITIONS_LATER) <= set(partitions.names())
        assert partition_of(recorded_now()) == PARTITIONS_LATER[0]
    assert guards.missing() == []


@pytest.mark.django_db
def test_existing_partitions_are_not_created_again() -> None:
    with time_machine.travel(LATER, tick=False):
        created = [partitions.make_ahead(), partitions.make_ahead()]

    assert created == [4, 0]


@pytest.mark.django_db
def test_a_missing_partition_causes_a_warning() -> None:
    with time_machine.travel(LATER, tick=False):
        warnings = checks.check_partitions(databases=["default"])

    assert [warning.id for warning in warnings] == ["auth_audit.W001"] * 2 * 4
    assert checks.check_partitions(databases=["default"]) == []


@pytest.mark.django_db
def test_a_month_with_entries_in_the_default_partition_does_not_block_others(caplog: pytest.LogCaptureFixture) -> None:
    with time_machine.travel(LATER, tick=False):
        entry = recorded_now()

        created = partitions.make_ahead()

        assert partition_of(entry) == f"{guards.TABLE}_default"
        assert partitions.missing() == PARTITIONS_LATER[:2]
    assert created == 3
    assert PARTITIONS_LATER[0] in caplog.text


@pytest.mark.django_db(transaction=True)
def test_parallel_creation_of_a_partition_does_not_fail(caplog: pytest.LogCaptureFixture) -> None:
    try:
        with time_machine.travel(LATER, tick=False):
            at_once([partitions.make_ahead] * 4)

            assert partitions.missing() == []
        assert caplog.text == ""
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {', '.join(PARTITIONS_LATER)}")


@pytest.mark.django_db(transaction=True)
def test_emptying_the_default_partition_moves_entries_unchanged() -> None:
    try:
        with time_machine.travel(LATER, tick=False):
            entries = [recorded_now() for _number in range(3)]
            last_entry = recorded_now()
            seal_everything()
            partitions.make_ahead()
            columns_before = AuditEntry.objects.values_list("recorded_at", "transaction_id", "mac").get(
                pk=entries[0].pk
            )

            out = StringIO()
            with time_machine.travel(LATER.replace(year=2050), tick=False):
                call_command("audit_partitions", "--empty-default", stdout=out)

            assert "4 entries moved." in out.getvalue()
            assert {partition_of(entry) for entry in [*entries, last_entry]} == {PARTITIONS_LATER[0]}
            assert {key_partition_of(entry) for entry in [*entries, last_entry]} == {PARTITIONS_LATER[1]}
            assert {entry.ip for entry in read([*entries, last_entry]).values()} == {"192.0.2.1"}
            assert (
                AuditEntry.objects.values_list("recorded_at", "transaction_id", "mac").get(pk=entries[0].pk)
                == columns_before
            )
            assert verify().findings == []
            assert guards.missing() == []
            assert empty_default() == 0
    finally:
        created = [name for name in partitions.names() if "_205" in name]
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {', '.join(created)}")


@pytest.mark.django_db(transaction=True)
def test_an_entry_dated_far_away_stays_in_the_default_partition() -> None:
    with time_machine.travel(datetime(2999, 1, 1, tzinfo=UTC), tick=False):
        entry = recorded_now()

    assert empty_default() == 0
    assert partition_of(entry) == f"{guards.TABLE}_default"
