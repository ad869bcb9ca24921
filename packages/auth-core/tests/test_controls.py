"""A degraded control is reported once, and once when it recovers. No caller waits for the report."""

import logging
import multiprocessing
import os
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from auth_core import limits
from auth_core.conf import core
from auth_core.errors import TooManyAttempts
from auth_core.events import AuthEvent, Event, EventName, EventOutcome, event_recorded
from auth_core.messages.notify import EMAIL
from auth_core.messages.outbox import deliver, post
from auth_core.models import OutboxMessage
from auth_core.registries import outbox_channels
from auth_core.request.client import Client
from auth_core.runtime import degradation
from auth_core.runtime.degradation import Control, record_changes
from auth_core.runtime.redis_cache import CacheLost, SharedCache, shared_cache
from auth_core.runtime.worker_thread import Background
from auth_core.testing.events import recording
from auth_core.testing.parallel import close_connections
from auth_core.testing.redis import OwnRedis

LOST, BACK = AuthEvent.CONTROL_DEGRADED, AuthEvent.CONTROL_RESTORED


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Report a recovery at once, without a waiting time."""
    monkeypatch.setattr(degradation, "_CALM", timedelta(0))


@pytest.fixture
def limiter(shared: OwnRedis, settings: Any) -> SharedCache:
    """The cache of the limiter. It counts as lost after one failure and is retried at once."""
    cache = shared_cache(core.REDIS_URL, serves=Control.LIMITER)
    assert cache is not None
    cache._breaker._limit, cache._breaker._pause = 1, 0.0
    return cache


def guess() -> None:
    limits.charge("login", client=Client(network="192.0.2.1"), identifier="alice@example.org")


def changes_in(events: list[Event]) -> list[tuple[EventName, str]]:
    return [(event.name, event.data["control"]) for event in events]


@pytest.mark.asvs("16.3.4")
@pytest.mark.django_db(transaction=True)
def test_a_limiter_reports_the_loss_of_redis_once_and_its_return_once(
    limiter: SharedCache, shared: OwnRedis, impatient: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with recording() as events:
        guess()
        shared.kill()
        for _guess in range(5):
            guess()
        record_changes()
        shared.start()
        for _guess in range(3):
            guess()
        record_changes()

    assert changes_in(events) == [(LOST, "limiter"), (BACK, "limiter")]
    assert [event.outcome for event in events] == [EventOutcome.FAILURE, EventOutcome.SUCCESS]
    assert events[0].reason == "ConnectionError"
    assert events[0].data["process"].endswith(f":{os.getpid()}")
    assert [line.message for line in caplog.records if line.name == "auth_core.runtime.degradation"] == [
        "A control is degraded: limiter, ConnectionError.",
        "A control works again: limiter.",
    ]


@pytest.mark.django_db(transaction=True)
def test_the_budget_holds_while_the_limiter_is_degraded(limiter: SharedCache, shared: OwnRedis) -> None:
    shared.kill()
    for _guess in range(10):
        guess()

    with pytest.raises(TooManyAttempts):
        guess()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("planted", [False, True], ids=["as it is", "with no time of calm"])
def test_a_flapping_control_is_reported_once(
    planted: bool, limiter: SharedCache, shared: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    if planted:
        monkeypatch.setattr(degradation, "_CALM", timedelta(0))

    with recording() as events:
        for _time in range(3):
            shared.kill()
            guess()
            shared.start()
            guess()
        record_changes()

    assert len(events) == (6 if planted else 1)


@pytest.mark.django_db(transaction=True)
def test_a_control_that_uses_a_lost_cache_later_is_reported_too(limiter: SharedCache, shared: OwnRedis) -> None:
    limiter.serves = set()
    shared.kill()
    limiter._breaker._pause = 60.0
    with pytest.raises(CacheLost):
        limiter.ping()

    with recording() as events:
        guess()
        record_changes()

    assert changes_in(events) == [(LOST, "limiter")]


@pytest.mark.django_db(transaction=True)
def test_it_is_recorded_although_the_transaction_was_rolled_back() -> None:
    with recording() as events:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            degradation.report_degraded(Control.LIMITER, reason="ConnectionError")
            raise ZeroDivisionError
        record_changes()

    assert changes_in(events) == [(LOST, "limiter")]


@pytest.mark.django_db(transaction=True)
def test_with_a_lost_database_the_event_waits_and_the_log_does_not(caplog: pytest.LogCaptureFixture) -> None:
    def fail(event: Event, **kwargs: Any) -> None:
        raise DatabaseError

    degradation.report_degraded(Control.LIMITER, reason="ConnectionError")
    event_recorded.connect(fail)
    try:
        with pytest.raises(DatabaseError):
            record_changes()
    finally:
        event_recorded.disconnect(fail)

    assert "A control is degraded: " in caplog.text
    with recording() as events:
        record_changes()
        record_changes()
    assert changes_in(events) == [(LOST, "limiter")]


def test_parts_of_a_control_are_reported_separately() -> None:
    degradation.report_degraded(Control.DELIVERY, part="sms", reason="dead")
    degradation.report_degraded(Control.DELIVERY, part="sms", reason="dead")
    degradation.report_degraded(Control.DELIVERY, part="email", reason="dead")

    assert [change.part for change in degradation._Process.waiting] == ["sms", "email"]


def test_unrecorded_changes_do_not_grow_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(degradation, "_MOST_WAITING", 3)

    for number in range(10):
        degradation.report_degraded(Control.DELIVERY, part=str(number), reason="dead")

    assert len(degradation._Process.waiting) == 3


def _known(answers: Any) -> None:
    answers.put((len(degradation._Process.failed_at), len(degradation._Process.waiting)))


def test_a_child_process_does_not_inherit_the_state_of_its_parent() -> None:
    degradation.report_degraded(Control.LIMITER, reason="ConnectionError")
    forking = multiprocessing.get_context("fork")
    answers: Any = forking.Queue()

    child = forking.Process(target=_known, args=(answers,))
    child.start()
    child.join()

    assert answers.get(timeout=5) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_thread_records_the_event_and_the_caller_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    in_thread: list[tuple[str, str]] = []
    is_recorded = threading.Event()

    def hear(event: Event, **kwargs: Any) -> None:
        in_thread.append((event.name.value, threading.current_thread().name))
        is_recorded.set()

    def record_and_leave() -> None:
        try:
            record_changes()
        finally:
            close_connections()

    recorder = Background("recorder of this test", record_and_leave)
    monkeypatch.setattr(degradation, "recorder", recorder)
    event_recorded.connect(hear)
    try:
        degradation.report_degraded(Control.LIMITER, reason="ConnectionError")
        assert is_recorded.wait(timeout=10)
    finally:
        recorder.stop()
        event_recorded.disconnect(hear)

    assert in_thread == [("auth.control.degraded", "recorder of this test")]


@pytest.mark.asvs("16.3.4")
@pytest.mark.django_db(transaction=True)
def test_a_channel_is_degraded_from_a_failed_message_until_a_delivery(
    impatient: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = False

    def send(message: Any) -> None:
        if not works:
            raise OSError

    monkeypatch.setitem(outbox_channels._entries, EMAIL, send)
    with recording() as events:
        for _message in range(2):
            message = _posted()
            OutboxMessage.objects.filter(pk=message.pk).update(attempts=9)
            assert not deliver(message.pk)
        works = True
        assert deliver(_posted().pk)
        record_changes()

    assert [(event.name, event.data["part"], event.reason) for event in events] == [
        (LOST, EMAIL, "dead"),
        (BACK, EMAIL, ""),
    ]


def _posted() -> OutboxMessage:
    with transaction.atomic():
        return post(channel=EMAIL, template="welcome", values={}, secret={"address": "alice@example.org"})
