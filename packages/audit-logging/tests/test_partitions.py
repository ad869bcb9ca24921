"""A partition for each month stands before the month begins."""

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
from auth_audit.storage import guards, partitions
from auth_audit.storage.default_partition import empty_default
from auth_audit.testing.trail import seal_everything
from auth_audit.verify.verification import verify
from auth_core.events import AuthEvent, Event, record
from auth_core.registries import sweeps
from auth_core.testing.parallel import at_once

pytestmark = pytest.mark.postgresql

#: A month far enough away that nothing was made for it.
LATER = datetime(2051, 11, 24, tzinfo=UTC)

PARTITIONS_LATER = [f"{guards.TABLE}_{month}" for month in ("2051_11", "2051_12", "2052_01", "2052_02")]


def partition_of(entry: AuditEntry) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tableoid::regclass::text FROM {guards.TABLE} WHERE id = %s", [entry.pk])
        (partition,) = cursor.fetchone()
    return str(partition)


def recorded_now() -> AuditEntry:
    record(Event(name=AuthEvent.EMAIL_VERIFIED))
    return AuditEntry.objects.latest("id")


@pytest.mark.django_db
def test_this_month_and_three_more_stand_from_the_first_migration_on() -> None:
    assert len(partitions.names()) == 4 + len(["default"])
    assert partitions.missing() == []


@pytest.mark.django_db
def test_an_entry_of_now_is_in_the_partition_of_its_month() -> None:
    entry = recorded_now()

    assert partition_of(entry) == f"{guards.TABLE}_{entry.recorded_at:%Y_%m}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "make",
    [
        lambda: call_command("audit_partitions", verbosity=0),
        lambda: call_command("migrate", verbosity=0),
        dict(sweeps.items())["auth_audit.storage.partitions"],
    ],
    ids=["command", "migrate", "sweep"],
)
def test_months_made_later_are_guarded(make: Callable[[], Any]) -> None:
    with time_machine.travel(LATER, tick=False):
        make()

        assert set(PARTITIONS_LATER) <= set(partitions.names())
        assert partition_of(recorded_now()) == PARTITIONS_LATER[0]
    assert guards.missing() == []


@pytest.mark.django_db
def test_what_stands_is_not_made_again() -> None:
    with time_machine.travel(LATER, tick=False):
        made = [partitions.make_ahead(), partitions.make_ahead()]

    assert made == [4, 0]


@pytest.mark.django_db
def test_a_month_without_partition_is_warned_of() -> None:
    with time_machine.travel(LATER, tick=False):
        warnings = checks.check_partitions(databases=["default"])

    assert [warning.id for warning in warnings] == ["auth_audit.W001"] * 4
    assert checks.check_partitions(databases=["default"]) == []


@pytest.mark.django_db
def test_a_month_that_nobody_made_is_kept_and_hinders_no_other(caplog: pytest.LogCaptureFixture) -> None:
    with time_machine.travel(LATER, tick=False):
        entry = recorded_now()

        made = partitions.make_ahead()

        assert partition_of(entry) == f"{guards.TABLE}_default"
        assert partitions.missing() == PARTITIONS_LATER[:1]
    assert made == 3
    assert PARTITIONS_LATER[0] in caplog.text


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_make_the_same_month_do_not_fail(caplog: pytest.LogCaptureFixture) -> None:
    try:
        with time_machine.travel(LATER, tick=False):
            at_once([partitions.make_ahead] * 4)

            assert partitions.missing() == []
        assert caplog.text == ""
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {', '.join(PARTITIONS_LATER)}")


@pytest.mark.django_db(transaction=True)
def test_the_default_partition_is_emptied_and_nothing_in_it_is_changed() -> None:
    try:
        with time_machine.travel(LATER, tick=False):
            entries = [recorded_now() for _number in range(3)]
            recorded_now_too = recorded_now()
            seal_everything()
            partitions.make_ahead()
            moment_before = AuditEntry.objects.values_list("recorded_at", "transaction_id", "mac").get(pk=entries[0].pk)

            out = StringIO()
            with time_machine.travel(LATER.replace(year=2050), tick=False):
                call_command("audit_partitions", "--empty-default", stdout=out)

            assert "4 entries moved." in out.getvalue()
            assert {partition_of(entry) for entry in [*entries, recorded_now_too]} == {PARTITIONS_LATER[0]}
            assert (
                AuditEntry.objects.values_list("recorded_at", "transaction_id", "mac").get(pk=entries[0].pk)
                == moment_before
            )
            assert verify().findings == []
            assert guards.missing() == []
            assert empty_default() == 0
    finally:
        made = [name for name in partitions.names() if name > f"{guards.TABLE}_2050" and "default" not in name]
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE {', '.join(made)}")


@pytest.mark.django_db(transaction=True)
def test_what_a_wrong_clock_dated_far_away_stays_in_the_default_partition() -> None:
    with time_machine.travel(datetime(2999, 1, 1, tzinfo=UTC), tick=False):
        entry = recorded_now()

    assert empty_default() == 0
    assert partition_of(entry) == f"{guards.TABLE}_default"
