"""The outbox: a message is written in the transaction of the change and delivered after it.

Inside the database each effect happens once. Outside it happens at least once, under one idempotency key, the row's id.
A request never waits for a mail server.
"""

import json
import logging
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.core.signals import request_started
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from auth_core.conf import core
from auth_core.crypto.encryption import DecryptionFailed, decrypt, encrypt
from auth_core.models import OutboxMessage
from auth_core.registries import EncryptedColumn, outbox_channels
from auth_core.request.context import Context, bound, correlation_id
from auth_core.runtime import degradation
from auth_core.runtime.batches import delete_in_batches
from auth_core.runtime.degradation import Control
from auth_core.runtime.worker_thread import Background

logger = logging.getLogger("auth_core.messages.outbox")

#: The secret part of a message. It is encrypted explicitly, because it is wiped by a statement that has no key.
SECRET = EncryptedColumn(OutboxMessage, "secret", "auth_core.outbox.secret")

#: How long a relay may work on one message before another may claim it.
_CLAIM = timedelta(minutes=1)

#: Maximum number of attempts. Pauses of 30 s, 1 min, 2 min … take about four hours together.
_ATTEMPTS = 10
_FIRST_PAUSE = timedelta(seconds=30)

#: How long a settled row is kept, to trace what became of a message.
_RETENTION = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Message:
    """A message for a channel.

    Args:
        id: Idempotency key. A channel passes it on if it can.
        template: Name of the template.
        values: Public values of the template.
        secret: Link, code, address or number.
    """

    id: UUID
    template: str
    values: Mapping[str, Any]
    secret: Mapping[str, Any] = field(repr=False)


class Undeliverable(Exception):
    """A message can never be delivered. Another attempt would fail for the same reason."""


class NotInTransaction(Exception):
    """A message was posted outside the transaction of its change."""


def post(
    *,
    channel: str,
    template: str,
    values: Mapping[str, Any],
    secret: Mapping[str, Any],
    secret_lifetime: timedelta = timedelta(hours=24),
) -> OutboxMessage:
    """Write a message in the current transaction. It is relayed after the commit.

    Args:
        channel: Name of a registered channel.
        values: Closed or public values, stored in a plain column.
        secret: All other values, encrypted for this row.
        secret_lifetime: How long the secret is valid. A message that is not delivered by then is not sent.

    Raises:
        NotInTransaction: there is no transaction. A rolled-back change must roll back its message.
    """
    if not transaction.get_connection().in_atomic_block:
        raise NotInTransaction
    message = OutboxMessage(
        channel=channel,
        template=template,
        values=dict(values),
        secret_expires_at=timezone.now() + secret_lifetime,
        correlation_id=correlation_id(),
    )
    message.secret = encrypt(SECRET.purpose, json.dumps(secret).encode(), context=str(message.pk))
    message.save(force_insert=True)
    transaction.on_commit(partial(_relay, message.pk))
    return message


def deliver(message_id: UUID) -> bool:
    """Deliver one message if it is due and not claimed. Return whether it was delivered."""
    now = timezone.now()
    if not OutboxMessage.objects.claim(message_id, now=now, until=now + _CLAIM):
        return False
    message = OutboxMessage.objects.get(pk=message_id)
    if message.secret_expires_at is not None and message.secret_expires_at <= now:
        _settle(message, "expired")
        return False
    if message.attempts > _ATTEMPTS:
        # The relay died during the last attempt, and the claim lapsed. The next attempt would end the same way.
        _settle(message, "dead")
        return False
    with bound(Context(correlation_id=message.correlation_id)):
        return _send(message)


def deliver_due(limit: int = 100) -> int:
    """Deliver due messages, oldest first. Return how many were delivered."""
    due = OutboxMessage.objects.due(timezone.now()).order_by("due_at").values_list("pk", flat=True)[:limit]
    return sum(deliver(message_id) for message_id in list(due))


def sweep() -> int:
    """Wipe expired secrets and delete rows that were settled long ago."""
    now = timezone.now()
    expired = OutboxMessage.objects.idle(now).filter(secret_expires_at__lte=now)
    wiped = expired.update(settled_at=now, outcome="expired", secret="", claimed_until=None)
    return wiped + delete_in_batches(OutboxMessage.objects.settled_before(now - _RETENTION))


def _send(message: OutboxMessage) -> bool:
    send = outbox_channels.get(message.channel)
    try:
        if send is None:
            raise LookupError(message.channel)
        secret = json.loads(decrypt(SECRET.purpose, message.secret, context=str(message.pk)))
        send(Message(message.pk, message.template, message.values, secret))
    except (DecryptionFailed, Undeliverable) as problem:
        # Another attempt would fail in the same way.
        _settle(message, "dead", problem)
    except Exception as problem:  # noqa: BLE001 - a channel may raise any error of its library. It is retried.
        _try_again(message, problem)
    else:
        _settle(message, "delivered")
        return True
    return False


def _try_again(message: OutboxMessage, problem: Exception) -> None:
    if message.attempts >= _ATTEMPTS:
        _settle(message, "dead", problem)
        return
    pause = _FIRST_PAUSE * 2 ** (message.attempts - 1) * random.uniform(0.8, 1.2)  # noqa: S311 - jitter, not a secret
    # Only under our own claim. A slow relay must not release a message that another one has claimed since.
    OutboxMessage.objects.filter(pk=message.pk, settled_at=None, claimed_until=message.claimed_until).update(
        due_at=timezone.now() + pause, claimed_until=None, problem=type(problem).__name__
    )
    fields = _log_fields(message, problem)
    logger.warning("Could not deliver message %(outbox_id)s yet: %(problem)s.", fields, extra=fields)


def _settle(message: OutboxMessage, outcome: str, problem: Exception | None = None) -> None:
    """Close the row and wipe its secret."""
    name = "" if problem is None else type(problem).__name__
    OutboxMessage.objects.filter(pk=message.pk, settled_at=None).update(
        settled_at=timezone.now(), outcome=outcome, secret="", problem=name, claimed_until=None
    )
    if outcome == "delivered":
        degradation.report_restored(Control.DELIVERY, part=message.channel)
    else:
        degradation.report_degraded(Control.DELIVERY, part=message.channel, reason=outcome)
        fields = _log_fields(message, problem)
        logger.error("Gave up delivering message %(outbox_id)s: %(problem)s.", fields, extra=fields)


def _log_fields(message: OutboxMessage, problem: Exception | None) -> dict[str, Any]:
    """Return the fields to log. Never the text of the problem, which often contains the address."""
    return {
        "outbox_id": str(message.pk),
        "channel": message.channel,
        "attempts": message.attempts,
        "problem": type(problem).__name__,
    }


def _relay(message_id: UUID) -> None:
    """Start the delivery by the configured relay. ``manual`` leaves it to the command `relay_outbox`.

    The change is committed, so this must not wait for a broker or fail without one.
    """
    if core.OUTBOX_RELAY == "thread":
        relay_thread.wake()
    elif core.OUTBOX_RELAY == "celery":
        _offered.append(message_id)
        offering_thread.wake()


def _deliver_all() -> None:
    while deliver_due():
        pass


def _enqueue_all() -> None:
    """Hand posted messages to the workers. Messages that the broker does not accept are relayed later."""
    enqueue = import_string("auth_core.tasks.offer")
    while _offered:
        if not enqueue(_offered.popleft()):
            logger.warning("The broker does not accept tasks. Messages are delivered later.")
            _offered.clear()


def _start_relay(**kwargs: Any) -> None:
    """Relay messages of an earlier process. Otherwise they would wait for the first message of this one."""
    request_started.disconnect(dispatch_uid="auth_core.messages.outbox")
    if core.OUTBOX_RELAY == "thread":
        relay_thread.wake()


def connect() -> None:
    """Start with the first request. A thread that started before a fork would be lost in it."""
    request_started.connect(_start_relay, dispatch_uid="auth_core.messages.outbox")


#: Ids not yet handed to the workers. If the queue overflows, the oldest are left to `deliver_due`.
_offered: deque[UUID] = deque(maxlen=10_000)

relay_thread = Background("auth_core.messages.outbox", _deliver_all)
offering_thread = Background("auth_core.messages.outbox.offering", _enqueue_all)
