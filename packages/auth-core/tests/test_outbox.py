"""The outbox: messages are written with the change and delivered after it."""

import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from auth_core.messages import outbox
from auth_core.messages.outbox import Message, NotInTransaction
from auth_core.models import OutboxMessage
from auth_core.registries import outbox_channels
from auth_core.testing.parallel import at_once

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = {"link": "https://auth.example.org/verify/s3cr3t-marker"}


@pytest.fixture
def sent() -> Iterator[list[Message]]:
    """A channel that records its messages."""
    messages: list[Message] = []
    outbox_channels._entries["test"] = messages.append
    yield messages
    del outbox_channels._entries["test"]


def post_message(**changes: Any) -> OutboxMessage:
    with transaction.atomic():
        return outbox.post(
            **{"channel": "test", "template": "verify", "values": {"name": "Alice"}, "secret": SECRET, **changes}
        )


def test_a_message_is_delivered_with_its_secret_once(sent: list[Message]) -> None:
    posted = post_message()

    assert outbox.deliver(posted.pk)
    assert not outbox.deliver(posted.pk)

    assert [(message.id, message.values, message.secret) for message in sent] == [
        (posted.pk, {"name": "Alice"}, SECRET)
    ]


def test_the_secret_is_ciphertext_and_wiped_when_delivered(sent: list[Message]) -> None:
    posted = post_message()
    before = OutboxMessage.objects.values().get()

    outbox.deliver(posted.pk)

    after = OutboxMessage.objects.get()
    assert "s3cr3t-marker" not in str(before)
    assert before["secret"].startswith("v1.")
    assert (after.secret, after.outcome) == ("", "delivered")
    assert "s3cr3t-marker" not in repr(sent[0])


def test_a_rolled_back_message_is_not_sent(sent: list[Message]) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        outbox.post(channel="test", template="verify", values={}, secret=SECRET)
        _ = 1 / 0

    assert outbox.deliver_due() == 0


def test_a_message_needs_a_transaction(sent: list[Message]) -> None:
    with pytest.raises(NotInTransaction):
        outbox.post(channel="test", template="verify", values={}, secret=SECRET)


def test_an_expired_secret_is_not_sent(sent: list[Message]) -> None:
    posted = post_message(secret_lifetime=timedelta(minutes=10))

    with time_machine.travel(timezone.now() + timedelta(minutes=10, seconds=1), tick=False):
        assert not outbox.deliver(posted.pk)

    assert sent == []
    assert OutboxMessage.objects.get().outcome == "expired"
    assert OutboxMessage.objects.get().secret == ""


def test_a_failure_is_retried_and_finally_given_up(sent: list[Message], caplog: pytest.LogCaptureFixture) -> None:
    def refuse(message: Message) -> None:
        raise ConnectionError(message.secret["link"])

    outbox_channels._entries["test"] = refuse
    posted = post_message()

    for _attempt in range(10):
        with time_machine.travel(OutboxMessage.objects.get().due_at, tick=False):
            assert not outbox.deliver(posted.pk)
            assert not outbox.deliver(posted.pk), "not before the pause is over"

    message = OutboxMessage.objects.get()
    assert (message.attempts, message.outcome, message.secret) == (10, "dead", "")
    assert message.problem == "ConnectionError"
    assert message.due_at - posted.created_at > timedelta(hours=3)
    assert "s3cr3t-marker" not in str(OutboxMessage.objects.values().get())
    assert "s3cr3t-marker" not in caplog.text


def test_another_relay_takes_over_from_a_dead_one(sent: list[Message]) -> None:
    posted = post_message()
    now = timezone.now()
    assert OutboxMessage.objects.all().claim(posted.pk, now=now, until=now + timedelta(minutes=1))

    assert not outbox.deliver(posted.pk)
    with time_machine.travel(now + timedelta(minutes=1, seconds=1), tick=False):
        assert outbox.deliver(posted.pk)


@pytest.mark.postgresql
def test_one_of_many_parallel_relays_delivers(sent: list[Message]) -> None:
    for _round in range(20):
        posted = post_message()

        delivered = at_once([partial(outbox.deliver, posted.pk)] * 10)

        assert sorted(delivered) == [False] * 9 + [True]
    assert len(sent) == 20


@pytest.mark.postgresql
def test_without_the_condition_many_would_deliver(sent: list[Message], monkeypatch: pytest.MonkeyPatch) -> None:
    def check_then_write(self: Any, message_id: Any, *, now: Any, until: Any) -> bool:
        is_due = self.due(now).filter(pk=message_id).exists()
        time.sleep(0.02)
        self.filter(pk=message_id).update(claimed_until=until)
        return bool(is_due)

    monkeypatch.setattr("auth_core.models.outbox_message.OutboxQuerySet.claim", check_then_write)

    def send_slowly(message: Message) -> None:
        time.sleep(0.2)

    outbox_channels._entries["test"] = send_slowly
    posted = post_message()

    delivered = at_once([partial(outbox.deliver, posted.pk)] * 10)

    assert sum(delivered) > 1, "the planted defect must be caught"


@pytest.mark.postgresql
def test_a_thread_delivers_after_the_commit(sent: list[Message], settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOX_RELAY": "thread"}

    post_message()

    deadline = time.monotonic() + 60
    while not sent and time.monotonic() < deadline:
        time.sleep(0.01)
    outbox.relay_thread.stop()
    assert len(sent) == 1


def test_the_command_delivers_what_is_due(sent: list[Message], capsys: pytest.CaptureFixture[str]) -> None:
    post_message()

    call_command("relay_outbox", "--once")

    assert "1 delivered" in capsys.readouterr().out


def test_a_message_that_crashes_its_relay_is_given_up_too(sent: list[Message]) -> None:
    posted = post_message()
    OutboxMessage.objects.update(attempts=10)

    assert not outbox.deliver(posted.pk)

    assert sent == []
    assert OutboxMessage.objects.get().outcome == "dead"
    assert OutboxMessage.objects.get().secret == ""


def test_a_slow_relay_does_not_release_the_claim_of_another(sent: list[Message]) -> None:
    claimed_until = timezone.now() + timedelta(minutes=2)

    def fail_slowly(message: Message) -> None:
        OutboxMessage.objects.update(claimed_until=claimed_until)
        raise ConnectionError

    outbox_channels._entries["test"] = fail_slowly
    posted = post_message()

    outbox.deliver(posted.pk)

    assert OutboxMessage.objects.get().claimed_until == claimed_until


def test_a_sweep_wipes_expired_secrets_that_were_not_relayed(sent: list[Message]) -> None:
    post_message(secret_lifetime=timedelta(minutes=10))
    OutboxMessage.objects.update(due_at=timezone.now() + timedelta(hours=4))
    fresh = post_message()

    with time_machine.travel(timezone.now() + timedelta(minutes=11), tick=False):
        assert outbox.sweep() == 1

    assert OutboxMessage.objects.filter(outcome="expired", secret="").count() == 1
    assert OutboxMessage.objects.get(pk=fresh.pk).settled_at is None


def test_a_sweep_deletes_old_messages(sent: list[Message]) -> None:
    outbox.deliver(post_message().pk)
    assert outbox.sweep() == 0

    with time_machine.travel(timezone.now() + timedelta(days=31), tick=False):
        assert outbox.sweep() == 1

    assert not OutboxMessage.objects.exists()
