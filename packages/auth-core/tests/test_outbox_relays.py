"""The relays of the outbox. No request waits for them, and no message is lost with them."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.core.signals import request_started
from django.db import transaction

from auth_core.messages import outbox
from auth_core.models import OutboxMessage
from auth_core.registries import outbox_channels
from auth_core.runtime.worker_thread import Background

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def relay(settings: Any) -> Iterator[Callable[[str], None]]:
    """Set the relay of the outbox, and stop its thread after the test."""

    def choose(name: str) -> None:
        settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOX_RELAY": name}

    yield choose
    outbox.relay_thread.stop()
    outbox.offering_thread.stop()
    outbox._offered.clear()


@pytest.fixture
def sent() -> Iterator[list[Any]]:
    messages: list[Any] = []
    outbox_channels._entries["test"] = messages.append
    yield messages
    del outbox_channels._entries["test"]


def post_message() -> OutboxMessage:
    with transaction.atomic():
        return outbox.post(channel="test", template="verify", values={}, secret={"code": "123456"})


def eventually(happened: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 60
    while not happened() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(happened())


def offering_to(monkeypatch: pytest.MonkeyPatch, offer: Callable[[UUID], bool]) -> None:
    """Replace the broker by *offer*."""
    monkeypatch.setattr(outbox, "import_string", lambda path: offer if path == "auth_core.tasks.offer" else None)


def test_workers_get_only_the_id(relay: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    offered: list[Any] = []
    offering_to(monkeypatch, lambda *arguments: not offered.append(arguments))
    relay("celery")

    posted = post_message()

    assert eventually(lambda: offered)
    assert offered == [(posted.pk,)]


def test_a_hanging_broker_does_not_block_the_request(relay: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    broker_answers, offered = threading.Event(), []
    offering_to(monkeypatch, lambda message_id: broker_answers.wait(60) and not offered.append(message_id))
    relay("celery")

    posted = post_message()
    offered_meanwhile = list(offered)
    broker_answers.set()

    assert offered_meanwhile == []
    assert eventually(lambda: offered == [posted.pk])


def test_a_lost_broker_fails_no_request_and_the_message_is_relayed_later(
    relay: Any, monkeypatch: pytest.MonkeyPatch, sent: list[Any]
) -> None:
    offered: list[UUID] = []
    offering_to(monkeypatch, lambda message_id: bool(offered.append(message_id)))
    relay("celery")

    post_message()

    assert eventually(lambda: offered)
    assert outbox.deliver_due() == 1
    assert len(sent) == 1


def test_a_thread_continues_after_failed_work() -> None:
    done: list[int] = []

    def work() -> None:
        done.append(1)
        if len(done) == 1:
            raise ZeroDivisionError

    background = Background("test", work)
    background.wake()
    assert eventually(lambda: len(done) == 1)
    background.wake()

    assert eventually(lambda: len(done) == 2)
    background.stop()


def test_the_thread_restarts_after_a_fork() -> None:
    done: list[int] = []
    background = Background("test", lambda: done.append(1))
    background._lock.acquire()

    background._reset()
    background.wake()

    assert eventually(lambda: done)
    background.stop()


@pytest.mark.postgresql
def test_the_first_request_relays_the_messages_of_an_earlier_process(relay: Any, sent: list[Any]) -> None:
    post_message()
    relay("thread")
    outbox.connect()

    request_started.send(sender=None)

    assert eventually(lambda: sent)
    assert not request_started.disconnect(dispatch_uid="auth_core.messages.outbox"), "once is enough"
