"""A circuit breaker: who does not answer is left alone for a moment."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import TypeVar

T = TypeVar("T")


class State(Enum):
    """What a breaker does with the next call."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class BreakerOpen(Exception):
    """The other side has failed lately; nothing was tried."""


class Breaker:
    """Stops calling what has failed *failures* times in a row, then lets one call try again after *pause*.

    One per process and dependency. Time is monotonic: a clock that jumps neither
    opens nor closes it.

    Args:
        name: What is behind it; for logs and metrics.
        failures: Failures in a row that open it.
        pause: How long nothing is tried.
    """

    def __init__(self, name: str, *, failures: int = 3, pause: timedelta = timedelta(seconds=1)) -> None:
        self.name = name
        self._limit = failures
        self._pause = pause.total_seconds()
        self._lock = threading.Lock()
        self._failed = 0
        self._opened_at = 0.0
        self._probing = False

    @property
    def state(self) -> State:
        """What happens to the next call."""
        if self._failed < self._limit:
            return State.CLOSED
        return State.OPEN if time.monotonic() - self._opened_at < self._pause else State.HALF_OPEN

    def call(self, function: Callable[[], T]) -> T:
        """Return what *function* returns.

        Raises:
            BreakerOpen: it was not called.
            BaseException: whatever it raised, which counts as a failure.
        """
        is_probe = self._enter()
        succeeded = False
        try:
            answer = function()
            succeeded = True
        finally:
            # In any case: a worker that is told to stop in the middle of the probe raises no Exception,
            # and a probe that never ended would keep the breaker open for ever.
            self._leave(succeeded=succeeded, is_probe=is_probe)
        return answer

    def _enter(self) -> bool:
        """Let pass, or not; of many who come when the pause is over, one is the probe. Say whether this is it."""
        with self._lock:
            state = self.state
            if state is State.OPEN or (state is State.HALF_OPEN and self._probing):
                raise BreakerOpen(self.name)
            is_probe = state is State.HALF_OPEN
            self._probing = self._probing or is_probe
            return is_probe

    def _leave(self, *, succeeded: bool, is_probe: bool) -> None:
        """Count how a call ended; once it is open, only the probe decides, not a call from before."""
        with self._lock:
            if is_probe:
                self._probing = False
            elif self._failed >= self._limit:
                return
            self._failed = 0 if succeeded else self._failed + 1
            self._opened_at = time.monotonic()
