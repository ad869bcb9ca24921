"""Controls that work only in part: said once when it begins and once when it is over, by each process (ASVS 16.3.4).

Whoever notices must not wait, and may be in a transaction that is undone. So the log is told
at once, and the trail by a thread, in a transaction of its own; while the database is lost as
well, the log alone knows.
"""

import logging
import os
import socket
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db import transaction

from auth_core.events import AuthEvent, Event, EventName, EventOutcome, record
from auth_core.request.context import Context, bound, correlation_id
from auth_core.runtime.worker_thread import Background

logger = logging.getLogger("auth_core.runtime.degradation")

#: How long nothing may have failed before a control is said to work again: one that comes and goes is said once.
_CALM = timedelta(seconds=5)

#: Changes that wait for the database; of more the log alone knows.
_MOST_WAITING = 1000


class Control(StrEnum):
    """The controls of this package; others have an enum of their own."""

    #: Refused guesses are not remembered: each costs a query. Budgets hold as before.
    LIMITER = "limiter"

    #: Messages of a channel are given up: codes and notices do not arrive.
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class _Change:
    """A control that began to work only in part, or works again."""

    name: EventName
    control: StrEnum
    part: str
    reason: str
    correlation_id: str


class _Process:
    """What this process knows; a child knows nothing of it and finds out by itself."""

    #: When each failed last, on the monotonic clock, in seconds.
    failed_at: dict[tuple[StrEnum, str], float] = {}
    waiting: deque[_Change] = deque()
    lock = threading.Lock()


def degrade(control: StrEnum, *, part: str = "", reason: str) -> None:
    """Say that *control* works only in part; said once until `restore`, however often it is called.

    Args:
        part: Closed word: which of several, such as a channel.
        reason: Closed word, such as the class of what was raised.
    """
    key = (control, part)
    with _Process.lock:
        is_new = key not in _Process.failed_at
        _Process.failed_at[key] = time.monotonic()
    if is_new:
        _say(AuthEvent.CONTROL_DEGRADED, control, part, reason)


def restore(control: StrEnum, *, part: str = "") -> None:
    """Say that *control* works again, if it did not and has not failed for a while; costs nothing otherwise."""
    key = (control, part)
    if key not in _Process.failed_at:
        return
    with _Process.lock:
        failed_at = _Process.failed_at.get(key)
        if failed_at is None or time.monotonic() - failed_at < _CALM.total_seconds():
            return
        del _Process.failed_at[key]
    _say(AuthEvent.CONTROL_RESTORED, control, part, "")


def record_changes() -> None:
    """Record what waits, the oldest first; the work of the thread.

    Raises:
        DatabaseError: it cannot be recorded now; it waits for the next time.
    """
    while _Process.waiting:
        change = _Process.waiting[0]
        with bound(Context(change.correlation_id)), transaction.atomic(durable=True):
            record(_event(change))
        _Process.waiting.popleft()


def forget() -> None:
    """Know nothing: of what a parent process knew, and of what a test left over."""
    _Process.failed_at, _Process.waiting, _Process.lock = {}, deque(), threading.Lock()


def _say(name: EventName, control: StrEnum, part: str, reason: str) -> None:
    told = {"control": control.value, "part": part, "reason": reason}
    if name is AuthEvent.CONTROL_DEGRADED:
        logger.warning("A control works only in part.", extra=told)
    else:
        logger.info("A control works again.", extra=told)
    if len(_Process.waiting) < _MOST_WAITING:
        _Process.waiting.append(_Change(name, control, part, reason, correlation_id()))
        recorder.wake()


def _event(change: _Change) -> Event:
    is_loss = change.name is AuthEvent.CONTROL_DEGRADED
    return Event(
        name=change.name,
        outcome=EventOutcome.FAILURE if is_loss else EventOutcome.SUCCESS,
        reason=change.reason,
        data={
            "control": change.control.value,
            "part": change.part,
            "process": f"{socket.gethostname()}:{os.getpid()}",
        },
    )


os.register_at_fork(after_in_child=forget)

recorder = Background("auth_core.runtime.degradation", record_changes)
