"""The circuit breaker pauses calls to a service that does not answer."""

import contextlib
import threading
import time
from datetime import timedelta

import pytest

from auth_core.runtime.circuit_breaker import Breaker, BreakerOpen, State

PAUSE = timedelta(milliseconds=50)


def fail() -> None:
    raise ConnectionError


@pytest.fixture
def opened() -> Breaker:
    breaker = Breaker("test", failures=3, pause=PAUSE)
    for _failure in range(3):
        with pytest.raises(ConnectionError):
            breaker.call(fail)
    return breaker


def test_it_opens_after_the_threshold_of_failures_in_a_row(opened: Breaker) -> None:
    assert opened.state is State.OPEN
    with pytest.raises(BreakerOpen):
        opened.call(lambda: pytest.fail("called"))


def test_a_success_in_between_keeps_it_closed() -> None:
    breaker = Breaker("test", failures=2)
    for _round in range(5):
        with pytest.raises(ConnectionError):
            breaker.call(fail)
        breaker.call(lambda: None)

    assert breaker.state is State.CLOSED


def test_after_the_pause_a_success_closes_it(opened: Breaker) -> None:
    time.sleep(PAUSE.total_seconds())

    assert opened.call(lambda: 1) == 1
    assert opened.state is State.CLOSED


def test_after_the_pause_a_failure_opens_it_again(opened: Breaker) -> None:
    time.sleep(PAUSE.total_seconds())
    with pytest.raises(ConnectionError):
        opened.call(fail)

    assert opened.state is State.OPEN


def test_an_interrupted_probe_lets_another_one_run(opened: Breaker) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    time.sleep(PAUSE.total_seconds())
    with pytest.raises(KeyboardInterrupt):
        opened.call(stop)

    time.sleep(PAUSE.total_seconds())
    assert opened.call(lambda: 1) == 1


@pytest.mark.parametrize("ends_well", [True, False])
def test_a_call_begun_before_it_opened_has_no_effect(ends_well: bool) -> None:
    breaker = Breaker("test", failures=1, pause=timedelta(hours=1))

    def slow() -> None:
        with pytest.raises(ConnectionError):
            breaker.call(fail)
        if not ends_well:
            fail()

    with contextlib.suppress(ConnectionError):
        breaker.call(slow)

    assert breaker.state is State.OPEN


def test_after_the_pause_one_of_many_calls_probes(opened: Breaker) -> None:
    time.sleep(PAUSE.total_seconds())
    entered, go_on = threading.Event(), threading.Event()

    def probe() -> None:
        entered.set()
        go_on.wait(5)

    first = threading.Thread(target=opened.call, args=(probe,))
    first.start()
    entered.wait(5)
    with pytest.raises(BreakerOpen):
        opened.call(lambda: pytest.fail("a second probe"))
    go_on.set()
    first.join()

    assert opened.state is State.CLOSED
