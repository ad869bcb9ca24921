"""The epoch of the cache: which snapshots a process uses, and how long a revocation waits."""

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from auth_core.runtime.redis_cache import Server, shared_cache
from auth_core.testing.counts import counted
from auth_core.testing.redis import OwnRedis
from auth_sessions.models import CacheEpoch, Session
from auth_sessions.revocation import epochs
from conftest import Caller

# The cache is written after the commit, which a test transaction would never reach.
pytestmark = pytest.mark.django_db(transaction=True)

IDLE = timedelta(minutes=10)


@pytest.fixture
def short_idle(settings: Any) -> None:
    """An idle lifetime of ten minutes."""
    lifetimes = {f"aal{level}": (IDLE, timedelta(hours=12)) for level in range(4)}
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "LIFETIMES": lifetimes}


@pytest.fixture
def waits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Act as one of many processes. The test calls the reader. The list holds the seconds that revocations wait."""
    waited: list[float] = []
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "EPOCH_READER": "thread"}
    monkeypatch.setattr(epochs.reader, "wake", lambda: None)
    monkeypatch.setattr(epochs.time, "sleep", waited.append)
    return waited


def read_until_settled() -> str:
    """Read as the thread does until nothing changes. Return the run id of the trusted Redis."""
    epochs.read_now()
    CacheEpoch.objects.update(raised_at=timezone.now() - timedelta(minutes=1))
    while epochs.read_now():
        CacheEpoch.objects.update(raised_at=timezone.now() - timedelta(minutes=1))
    return CacheEpoch.objects.get().run


def test_a_cached_session_is_used_once_the_epoch_names_the_answering_redis(
    shared: OwnRedis, waits: list[float], alice: Any, caller: Caller
) -> None:
    caller.log_in()
    cache = shared_cache(shared.url)
    assert cache is not None

    run = read_until_settled()
    caller.get("me/")
    with counted() as warm:
        caller.get("me/")

    assert run == cache.answered_by != ""
    assert (warm.queries, warm.round_trips) == (0, 1)


def test_a_process_that_cannot_read_the_epoch_for_two_seconds_uses_the_database(
    shared: OwnRedis, waits: list[float], alice: Any, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller.log_in()
    read_until_settled()
    caller.get("me/")
    later = time.monotonic() + 2

    monkeypatch.setattr(epochs.time, "monotonic", lambda: later)
    with counted() as cost:
        caller.get("me/")

    assert (cost.queries, cost.round_trips) == (1, 0)


def test_a_snapshot_of_another_epoch_is_replaced(shared: OwnRedis, alice: Any, caller: Caller) -> None:
    caller.log_in()
    caller.get("me/")

    epochs.raise_epoch(reason="operator")
    caller.get("me/")
    with counted() as warm:
        caller.get("me/")

    assert (warm.queries, warm.round_trips) == (0, 1)


def test_an_acknowledged_revocation_does_not_wait(
    shared: OwnRedis, waits: list[float], alice: Any, caller: Caller
) -> None:
    caller.log_in()
    read_until_settled()
    caller.get("me/")

    caller.send("POST", "logout/")

    assert waits == []
    assert caller.get("me/").status_code == 401


def test_an_unacknowledged_revocation_raises_the_epoch_and_waits(
    shared: OwnRedis, waits: list[float], alice: Any, caller: Caller
) -> None:
    caller.log_in()
    read_until_settled()
    before = CacheEpoch.objects.get().value

    shared.kill()
    caller.send("POST", "logout/")

    row = CacheEpoch.objects.get()
    assert (row.value != before, row.run, row.reason) == (True, "", "unacknowledged")
    assert waits == [2.1]


def test_without_a_trusted_redis_a_revocation_does_not_wait(
    shared: OwnRedis, waits: list[float], alice: Any, caller: Caller
) -> None:
    caller.log_in()
    read_until_settled()
    shared.kill()
    CacheEpoch.objects.update(run="", raised_at=timezone.now() - timedelta(seconds=3))

    caller.send("POST", "logout/")

    assert waits == []


def test_a_revocation_after_a_raise_waits_for_the_remaining_time(
    shared: OwnRedis, waits: list[float], alice: Any, caller: Caller
) -> None:
    caller.log_in()
    read_until_settled()
    CacheEpoch.objects.update(raised_at=timezone.now() - timedelta(seconds=1))

    caller.send("POST", "logout/")

    (waited,) = waits
    assert 0.5 < waited < 1.2


def test_a_restarted_redis_starts_a_new_epoch(shared: OwnRedis, waits: list[float], alice: Any, caller: Caller) -> None:
    caller.log_in()
    first, before = read_until_settled(), CacheEpoch.objects.get().value
    caller.get("me/")

    shared.kill()
    shared.start()
    caller.get("me/")
    second = read_until_settled()

    assert second not in {"", first}
    assert CacheEpoch.objects.get().value != before


def test_a_replica_is_never_trusted(
    shared: OwnRedis, waits: list[float], alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_until_settled()
    CacheEpoch.objects.update(run="", raised_at=timezone.now() - timedelta(minutes=1))
    cache = shared_cache(shared.url)

    monkeypatch.setattr(type(cache), "server", lambda self: Server("0" * 40, is_master=False))
    epochs.read_now()

    assert CacheEpoch.objects.get().run == ""


@pytest.mark.postgresql
def test_a_restored_database_starts_a_new_epoch(shared: OwnRedis, waits: list[float], alice: Any) -> None:
    read_until_settled()
    CacheEpoch.objects.update(history="7000000000000000000:1")
    before = CacheEpoch.objects.get().value

    epochs.read_now()

    row = CacheEpoch.objects.get()
    assert (row.value != before, row.run, row.reason) == (True, "", "restored")


@pytest.mark.parametrize(("after", "status"), [(IDLE - timedelta(seconds=1), 200), (IDLE + timedelta(seconds=1), 401)])
def test_with_the_cache_the_idle_lifetime_is_exact(
    after: timedelta, status: int, shared: OwnRedis, short_idle: None, alice: Any, caller: Caller
) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        caller.log_in()
        caller.get("me/")
        clock.shift(timedelta(seconds=30))
        caller.get("me/")
        row = Session.objects.get()
        clock.shift(after)

        assert timezone.now() - row.last_seen_at > after
        assert caller.get("me/").status_code == status


@pytest.mark.parametrize(("after", "status"), [(timedelta(seconds=59), 200), (timedelta(seconds=61), 401)])
def test_without_the_cache_the_row_gets_a_minute_of_grace(
    after: timedelta, status: int, short_idle: None, alice: Any, caller: Caller, settings: Any
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "REDIS_URL": ""}
    with time_machine.travel(timezone.now(), tick=False) as clock:
        caller.log_in()
        clock.shift(IDLE + after)

        assert caller.get("me/").status_code == status


@pytest.mark.asvs("7.3.1")
@pytest.mark.parametrize("with_cache", [True, False])
def test_a_background_request_is_no_activity(
    with_cache: bool, shared: OwnRedis, short_idle: None, alice: Any, caller: Caller, settings: Any
) -> None:
    if not with_cache:
        settings.AUTH_CORE = {**settings.AUTH_CORE, "REDIS_URL": ""}
    with time_machine.travel(timezone.now(), tick=False) as clock:
        caller.log_in()
        caller.get("me/")
        caller.http.defaults["HTTP_X_BACKGROUND"] = "1"
        polled = []
        for _minute in range(12):
            clock.shift(timedelta(minutes=1))
            polled.append(caller.get("me/").status_code)

    assert polled[:9] == [200] * 9
    assert polled[-1] == 401


def test_a_clock_that_moved_back_does_not_extend_the_last_use(
    shared: OwnRedis, short_idle: None, alice: Any, caller: Caller
) -> None:
    moment = timezone.now()
    with time_machine.travel(moment, tick=False) as clock:
        caller.log_in()
        caller.get("me/")
        clock.shift(-timedelta(minutes=5))
        caller.get("me/")
        clock.shift(timedelta(minutes=5) + IDLE + timedelta(seconds=1))

        assert caller.get("me/").status_code == 401
