"""UUIDs that sort by time."""

from datetime import UTC, datetime
from uuid import RFC_4122

import time_machine

from auth_core.ids import first_uuid7_at, moment_of, uuid7


def test_it_is_a_uuid_of_version_7() -> None:
    made = uuid7()

    assert made.version == 7
    assert made.variant == RFC_4122


def test_each_is_greater_than_the_one_before() -> None:
    made = [uuid7() for _number in range(10_000)]

    assert made == sorted(set(made))


def test_it_contains_its_creation_time() -> None:
    moment = datetime(2101, 2, 3, 4, 5, 6, tzinfo=UTC)

    with time_machine.travel(moment, tick=False):
        assert moment_of(uuid7()) == moment


def test_a_bound_sorts_before_all_ids_of_its_moment() -> None:
    moment = datetime(2102, 2, 3, tzinfo=UTC)

    with time_machine.travel(moment, tick=False):
        assert first_uuid7_at(moment) <= uuid7()


def test_they_stay_in_order_when_the_clock_slips_back() -> None:
    with time_machine.travel(datetime(2103, 1, 1, 0, 0, 5, tzinfo=UTC), tick=False):
        late = uuid7()
    with time_machine.travel(datetime(2103, 1, 1, tzinfo=UTC), tick=False):
        later = uuid7()

    assert later > late


def test_a_large_step_back_of_the_clock_is_accepted() -> None:
    with time_machine.travel(datetime(2104, 1, 1, tzinfo=UTC), tick=False):
        uuid7()

    assert moment_of(uuid7()).year < 2104
