"""Degraded controls: each process reports once when one begins to fail and once when it recovers (ASVS 16.3.4).

The reporting code must not wait and may be in a transaction that is rolled back. The log is therefore written at once,
and the trail by a thread, in a transaction of its own. While the database is lost as well, only the log has the report.
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

#: How long a control must not fail before it counts as restored. A control that fails intermittently is reported once.
_CALM = timedelta(seconds=5)

#: Maximum number of changes that wait for the database. Further changes are only in the log.
_MOST_WAITING = 1000


class Control(StrEnum):
    """The controls of this package. Other packages have an enum of their own."""

    #: Refused guesses are not cached, so each costs a query. Budgets hold as before.
    LIMITER = "limiter"

    #: Messages of a channel are dropped: codes and notices do not arrive.
    DELIVERY = "delivery"


@dataclass(frozen=True, slots=True)
class _Change:
    """A control that became degraded or recovered."""

    name: EventName
    control: StrEnum
    part: str
    reason: str
    correlation_id: str


class _Process:
    """The state of this process. A forked child starts with an empty one."""

    #: Time of the last failure of each control, on the monotonic clock, in seconds.
    failed_at: dict[tuple[StrEnum, str], float] = {}
    waiting: deque[_Change] = deque()
    lock = threading.Lock()


def report_degraded(control: StrEnum, *, part: str = "", reason: str) -> None:
    """Report that *control* is degraded. Repeated calls are ignored until `report_restored`.

    Args:
        part: Closed word: which of several parts, such as a channel.
        reason: Closed word, such as the class of the exception.
    """
    key = (control, part)
    with _Process.lock:
        is_new = key not in _Process.failed_at
        _Process.failed_at[key] = time.monotonic()
    if is_new:
        _log_and_enqueue(AuthEvent.CONTROL_DEGRADED, control, part, reason)


def report_restored(control: StrEnum, *, part: str = "") -> None:
    """Report that *control* works again, if it was degraded and has not failed for a while. Otherwise costs nothing."""
    key = (control, part)
    if key not in _Process.failed_at:
        return
    with _Process.lock:
        failed_at = _Process.failed_at.get(key)
        if failed_at is None or time.monotonic() - failed_at < _CALM.total_seconds():
            return
        del _Process.failed_at[key]
    _log_and_enqueue(AuthEvent.CONTROL_RESTORED, control, part, "")


def record_changes() -> None:
    """Record the waiting changes, oldest first. Runs in the thread.

    Raises:
        DatabaseError: a change cannot be recorded now. It stays in the queue.
    """
    while _Process.waiting:
        change = _Process.waiting[0]
        with bound(Context(change.correlation_id)), transaction.atomic(durable=True):
            record(_event(change))
        _Process.waiting.popleft()


def reset() -> None:
    """Clear the state of a parent process or of an earlier test."""
    _Process.failed_at, _Process.waiting, _Process.lock = {}, deque(), threading.Lock()


def _log_and_enqueue(name: EventName, control: StrEnum, part: str, reason: str) -> None:
    fields = {"control": control.value, "part": part, "reason": reason}
    if name is AuthEvent.CONTROL_DEGRADED:
        logger.warning("A control is degraded: %s, %s.", control.value, reason, extra=fields)
    else:
        logger.info("A control works again: %s.", control.value, extra=fields)
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


os.register_at_fork(after_in_child=reset)

recorder = Background("auth_core.runtime.degradation", record_changes)
