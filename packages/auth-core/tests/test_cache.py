"""The shared cache: forgotten values stay forgotten, and a lost cache costs little."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from auth_core.runtime.circuit_breaker import BreakerOpen
from auth_core.runtime.redis_cache import CacheLost, SharedCache, shared_cache
from auth_core.testing.redis import OwnRedis

MINUTE = timedelta(minutes=1)

#: The timeout of production. A longer one could hide a defect.
TIMEOUT = timedelta(milliseconds=100)


@pytest.fixture
def cache(shared: OwnRedis, settings: Any) -> SharedCache:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "REDIS_TIMEOUT": TIMEOUT}
    return SharedCache(shared.url)


@pytest.fixture
def full(settings: Any) -> Iterator[SharedCache]:
    """A full cache that evicts nothing."""
    with OwnRedis("--maxmemory", "2mb", "--maxmemory-policy", "noeviction") as server:
        cache = SharedCache(server.url)
        cache.put("kept", b"value", ttl=MINUTE)
        server.client.config_set("maxmemory", 1)
        yield cache


def lease_of(cache: SharedCache, key: str) -> bytes:
    value, lease, _mark = cache.lookup(key)
    assert value is None
    assert lease is not None
    return lease


def seconds_of(call: Callable[[], object]) -> float:
    """Return the seconds until the cache reports that it is lost."""
    began = time.monotonic()
    with pytest.raises(CacheLost):
        call()
    return time.monotonic() - began


def cause_of(call: Callable[[], object]) -> type[BaseException]:
    """Return why the cache reports that it is lost."""
    with pytest.raises(CacheLost) as lost:
        call()
    return type(lost.value.__cause__)


def test_a_filled_value_is_found(cache: SharedCache) -> None:
    lease = lease_of(cache, "k")

    assert cache.fill("k", lease, b"value", ttl=MINUTE)

    assert cache.lookup("k") == (b"value", None, None)


def test_a_lookup_is_one_round_trip_with_or_without_a_value(cache: SharedCache) -> None:
    lease = lease_of(cache, "k")
    cache.fill("k", lease, b"value", ttl=MINUTE)
    cache.lookup("k")

    assert cache.round_trips == 3


def test_one_of_many_readers_gets_the_lease(cache: SharedCache) -> None:
    lease_of(cache, "k")

    assert cache.lookup("k") == (None, None, None)


def test_the_lease_of_a_dead_reader_passes_to_the_next(cache: SharedCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth_core.runtime.redis_cache._LEASE", timedelta(milliseconds=20))
    dead = lease_of(cache, "k")
    time.sleep(0.05)

    next_ = lease_of(cache, "k")

    assert not cache.fill("k", dead, b"of the dead", ttl=MINUTE)
    assert cache.fill("k", next_, b"of the living", ttl=MINUTE)


@pytest.mark.parametrize("next_reader", [False, True])
def test_a_slow_reader_cannot_restore_a_forgotten_value(cache: SharedCache, next_reader: bool) -> None:
    slow = lease_of(cache, "k")
    cache.forget("k")
    if next_reader:
        lease_of(cache, "k")

    assert not cache.fill("k", slow, b"stale", ttl=MINUTE)

    assert cache.lookup("k")[0] is None


def test_without_the_lease_the_stale_value_would_return(cache: SharedCache) -> None:
    lease_of(cache, "k")
    cache.forget("k")

    cache.put("k", b"stale", ttl=MINUTE)

    assert cache.lookup("k")[0] == b"stale", "the planted defect must be caught"


def test_values_are_forgotten_together_and_come_in_order(cache: SharedCache) -> None:
    cache.put("a", b"1", ttl=MINUTE)
    cache.put("b", b"2", ttl=MINUTE)

    before = cache.get_many(["b", "missing", "a"])
    cache.forget("a", "b")

    assert before == [b"2", None, b"1"]
    assert cache.get_many(["a", "b"]) == [None, None]


def test_a_value_lives_for_its_ttl(cache: SharedCache) -> None:
    cache.put("k", b"value", ttl=timedelta(milliseconds=20))
    time.sleep(0.05)

    assert cache.get_many(["k"]) == [None]


def test_keys_begin_with_the_prefix_of_the_site(cache: SharedCache, shared: OwnRedis, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "REDIS_PREFIX": "site-a"}

    cache.put("k", b"value", ttl=MINUTE)

    assert shared.client.keys() == [b"site-a:k"]


@pytest.mark.parametrize("loss", [OwnRedis.kill, OwnRedis.pause], ids=["killed", "hanging"])
def test_a_lost_cache_costs_a_few_timeouts_and_then_nothing(
    loss: Callable[[OwnRedis], None], cache: SharedCache, shared: OwnRedis
) -> None:
    cache.ping()
    loss(shared)

    first = [seconds_of(lambda: cache.lookup("k")) for _call in range(3)]
    later = [cause_of(lambda: cache.lookup("k")) for _call in range(50)]

    # Tolerance for a busy machine. Retries with the pauses of redis-py would take seconds.
    assert max(first) < 20 * TIMEOUT.total_seconds()
    # One call a second may probe whether the cache is back.
    assert later.count(BreakerOpen) > 40


@pytest.mark.parametrize(
    ("loss", "recovery"), [(OwnRedis.kill, OwnRedis.start), (OwnRedis.pause, OwnRedis.go_on)], ids=["killed", "hanging"]
)
def test_a_recovered_cache_is_used_again(
    loss: Callable[[OwnRedis], None], recovery: Callable[[OwnRedis], None], cache: SharedCache, shared: OwnRedis
) -> None:
    lease_of(cache, "k")
    loss(shared)
    for _call in range(3):
        seconds_of(cache.ping)

    recovery(shared)
    time.sleep(1.05)

    # The killed server has lost the scripts, so they are sent again.
    lease = lease_of(cache, "another")
    assert cache.fill("another", lease, b"value", ttl=MINUTE)


def test_a_full_cache_counts_as_lost_but_still_forgets(full: SharedCache) -> None:
    with pytest.raises(CacheLost):
        full.put("k", b"value", ttl=MINUTE)
    with pytest.raises(CacheLost):
        full.lookup("missing")

    full.forget("kept")

    assert full.get_many(["kept"]) == [None]


def test_a_loss_and_a_return_are_each_logged_once(
    cache: SharedCache, shared: OwnRedis, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", logger="auth_core.runtime.redis_cache")
    monkeypatch.setattr(cache._breaker, "_pause", 0.02)
    shared.kill()

    for _second_of_a_long_night in range(10):
        seconds_of(cache.ping)
        time.sleep(0.03)
    shared.start()
    cache.ping()

    assert [record.getMessage() for record in caplog.records] == [
        "The shared cache is unavailable (ConnectionError). The database is used instead.",
        "The shared cache is available again.",
    ]


def test_there_is_one_cache_per_process(shared: OwnRedis, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = shared_cache(shared.url)

    assert shared_cache(shared.url) is ours
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert shared_cache(shared.url) is not ours, "a connection that a fork shares mixes up answers"


def test_without_an_address_there_is_no_cache() -> None:
    assert shared_cache("") is None
