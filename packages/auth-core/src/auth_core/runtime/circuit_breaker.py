"""A circuit breaker: a dependency that fails repeatedly is not called for a moment."""

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
    """The dependency failed recently, so it was not called."""


class Breaker:
    """Stops calling a dependency after *failures* failures in a row, then allows one probe after *pause*.

    One per process and dependency. Time is monotonic, so a clock change neither opens nor closes it.

    Args:
        name: Name of the dependency, for logs and metrics.
        failures: Number of failures in a row that open it.
        pause: How long it stays open.
    """

    def __init__(self, name: str, *, failures: int = 3, pause: timedelta = timedelta(seconds=1)) -> None:
        self.name = name
        self._limit = failures
        self._pause = pause.total_seconds()
        self._lock = threading.Lock()
        self._failures_in_row = 0
        self._opened_at = 0.0
        self._is_probing = False

    @property
    def state(self) -> State:
        """The state for the next call."""
        if self._failures_in_row < self._limit:
            return State.CLOSED
        return State.OPEN if time.monotonic() - self._opened_at < self._pause else State.HALF_OPEN

    def call(self, function: Callable[[], T]) -> T:
        """Return the result of *function*.

        Raises:
            BreakerOpen: *function* was not called.
            BaseException: any exception of *function*. It counts as a failure.
        """
        is_probe = self._enter()
        succeeded = False
        try:
            result = function()
            succeeded = True
        finally:
            # Runs for any exception. A worker that is stopped during the probe raises no Exception, and a probe that
            # never ends would keep the breaker open forever.
            self._leave(succeeded=succeeded, is_probe=is_probe)
        return result

    def _enter(self) -> bool:
        """Allow the call or raise. After the pause, one of many callers is the probe. Return whether this is it."""
        with self._lock:
            state = self.state
            if state is State.OPEN or (state is State.HALF_OPEN and self._is_probing):
                raise BreakerOpen(self.name)
            is_probe = state is State.HALF_OPEN
            self._is_probing = self._is_probing or is_probe
            return is_probe

    def _leave(self, *, succeeded: bool, is_probe: bool) -> None:
        """Count the result of a call. While the breaker is open, only the probe counts, not an earlier call."""
        with self._lock:
            if is_probe:
                self._is_probing = False
            elif self._failures_in_row >= self._limit:
                return
            self._failures_in_row = 0 if succeeded else self._failures_in_row + 1
            self._opened_at = time.monotonic()
