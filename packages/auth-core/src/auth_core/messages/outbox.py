"""The outbox: what goes out is written with the change, and delivered after it.

Inside the database each effect happens once; outside it at least once, under one
idempotency key, the row's id. A request never waits for a mail server.
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
from auth_core.runtime.degradation import Control
from auth_core.runtime.worker_thread import Background

logger = logging.getLogger("auth_core.messages.outbox")

#: The secret part of each message; encrypted by hand, because it is wiped by a statement that knows no key.
SECRET = EncryptedColumn(OutboxMessage, "secret", "auth_core.messages.outbox.secret")

#: How long one relay has for one message, before another may take it.
_CLAIM = timedelta(minutes=1)

#: A message that failed so often is dead: 30 s, 1 min, 2 min … together about four hours.
_ATTEMPTS = 10
_FIRST_PAUSE = timedelta(seconds=30)

#: How long a settled row is kept, for whoever asks what became of a message.
_KEPT = timedelta(days=30)

#: Rows that one statement deletes.
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel is given.

    Args:
        id: Idempotency key; a channel that can, hands it on.
        template: What to say.
        values: What the template says of it.
        secret: Link, code, address or number.
    """

    id: UUID
    template: str
    values: Mapping[str, Any]
    secret: Mapping[str, Any] = field(repr=False)


class Undeliverable(Exception):
    """A message can never be delivered: another attempt would fail for the same reason."""


class NotInTransaction(Exception):
    """A message was posted outside the transaction of the change that it tells of."""


def post(
    *,
    channel: str,
    template: str,
    values: Mapping[str, Any],
    secret: Mapping[str, Any],
    secret_lifetime: timedelta = timedelta(hours=24),
) -> OutboxMessage:
    """Write a message into the transaction that is open; it is relayed when that is committed.

    Args:
        channel: Name of a registered channel.
        values: Closed or public values; they stand in a plain column.
        secret: Everything else; encrypted for this row alone.
        secret_lifetime: How long the secret is good for; what is not delivered by then is not sent.

    Raises:
        NotInTransaction: there is none; a message of a change that is undone must be undone with it.
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
    """Deliver one message, if it is due and nobody else is at it; say whether it was delivered."""
    now = timezone.now()
    if not OutboxMessage.objects.claim(message_id, now=now, until=now + _CLAIM):
        return False
    message = OutboxMessage.objects.get(pk=message_id)
    if message.secret_expires_at is not None and message.secret_expires_at <= now:
        _settle(message, "expired")
        return False
    if message.attempts > _ATTEMPTS:
        # Its last attempt ended with the relay itself, and the next would again: a claim lapses every time.
        _settle(message, "dead")
        return False
    with bound(Context(correlation_id=message.correlation_id)):
        return _send(message)


def deliver_due(limit: int = 100) -> int:
    """Deliver what is due, oldest first; return how many were delivered."""
    due = OutboxMessage.objects.due(timezone.now()).order_by("due_at").values_list("pk", flat=True)[:limit]
    return sum(deliver(message_id) for message_id in list(due))


def sweep() -> int:
    """Wipe secrets that are no longer good for anything, delete rows that were settled long ago."""
    now = timezone.now()
    expired = OutboxMessage.objects.idle(now).filter(secret_expires_at__lte=now)
    wiped = expired.update(settled_at=now, outcome="expired", secret="", claimed_until=None)
    deleted = 0
    while keys := list(OutboxMessage.objects.settled_before(now - _KEPT).values_list("pk", flat=True)[:_BATCH]):
        deleted += OutboxMessage.objects.filter(pk__in=keys).delete()[0]
    return wiped + deleted


def _send(message: OutboxMessage) -> bool:
    send = outbox_channels.get(message.channel)
    try:
        if send is None:
            raise LookupError(message.channel)
        secret = json.loads(decrypt(SECRET.purpose, message.secret, context=str(message.pk)))
        send(Message(message.pk, message.template, message.values, secret))
    except (DecryptionFailed, Undeliverable) as problem:
        # Another attempt would find the same bytes.
        _settle(message, "dead", problem)
    except Exception as problem:  # noqa: BLE001 - a channel may raise whatever its library does; it is kept and retried
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
    # Only under our own claim: a relay that was slow must not set free what another is at by now.
    OutboxMessage.objects.filter(pk=message.pk, settled_at=None, claimed_until=message.claimed_until).update(
        due_at=timezone.now() + pause, claimed_until=None, problem=type(problem).__name__
    )
    logger.warning("A message could not be delivered yet.", extra=_told(message, problem))


def _settle(message: OutboxMessage, outcome: str, problem: Exception | None = None) -> None:
    """Close the row and wipe its secret."""
    name = "" if problem is None else type(problem).__name__
    OutboxMessage.objects.filter(pk=message.pk, settled_at=None).update(
        settled_at=timezone.now(), outcome=outcome, secret="", problem=name, claimed_until=None
    )
    if outcome == "delivered":
        degradation.restore(Control.DELIVERY, part=message.channel)
    else:
        degradation.degrade(Control.DELIVERY, part=message.channel, reason=outcome)
        logger.error("A message was given up.", extra=_told(message, problem))


def _told(message: OutboxMessage, problem: Exception | None) -> dict[str, Any]:
    """Return what may be logged: never the problem's text, which often holds the address."""
    return {
        "outbox_id": str(message.pk),
        "channel": message.channel,
        "attempts": message.attempts,
        "problem": type(problem).__name__,
    }


def _relay(message_id: UUID) -> None:
    """Have the message delivered, by whoever settings name; ``manual``: whoever runs `relay_outbox`.

    The change is committed: nothing here may wait for a broker, or fail for the want of one.
    """
    if core.OUTBOX_RELAY == "thread":
        relay_thread.wake()
    elif core.OUTBOX_RELAY == "celery":
        _offered.append(message_id)
        offering_thread.wake()


def _deliver_all() -> None:
    while deliver_due():
        pass


def _offer_all() -> None:
    """Hand what was posted to the workers; what the broker does not take is due, and relayed later."""
    offer = import_string("auth_core.tasks.offer")
    while _offered:
        if not offer(_offered.popleft()):
            logger.warning("The broker takes no task; messages are delivered later.")
            _offered.clear()


def _begin(**kwargs: Any) -> None:
    """Relay what an earlier process left over; a quiet one would find it only with its own first message."""
    request_started.disconnect(dispatch_uid="auth_core.messages.outbox")
    if core.OUTBOX_RELAY == "thread":
        relay_thread.wake()


def connect() -> None:
    """Begin with the first request: a thread that was started before a fork would be lost in it."""
    request_started.connect(_begin, dispatch_uid="auth_core.messages.outbox")


#: Ids for the workers, not yet handed over; of a longer queue the oldest are left to `deliver_due`.
_offered: deque[UUID] = deque(maxlen=10_000)

relay_thread = Background("auth_core.messages.outbox", _deliver_all)
offering_thread = Background("auth_core.messages.outbox.offering", _offer_all)
