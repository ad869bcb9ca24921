"""Background work: one thread per process, for work that no request should wait for."""

import logging
import os
import threading
from collections.abc import Callable
from contextvars import copy_context
from datetime import timedelta

from django.db import connections

logger = logging.getLogger("auth_core.runtime.worker_thread")

#: Interval between runs without a wake.
_SLEEP = timedelta(seconds=15)


class Background:
    """Runs its work when woken and at intervals. The thread starts with the first `wake`.

    Args:
        name: Name of the thread.
        work: The work. It must be harmless to run without need.
        every: Interval between runs without a wake.
    """

    def __init__(self, name: str, work: Callable[[], object], *, every: timedelta = _SLEEP) -> None:
        self._name = name
        self._work = work
        self._sleep_seconds = every.total_seconds()
        self._reset()
        # A fork copies locks in their current state, but not the thread that would release them.
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._due = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._should_run = True

    @property
    def is_running(self) -> bool:
        """Whether the thread runs in this process."""
        return self._thread is not None and self._thread.is_alive()

    def wake(self) -> None:
        """Start the thread if needed, and make it run its work."""
        self._due.set()
        with self._lock:
            if not self.is_running:
                self._should_run = True
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread after its current work. Remaining work stays for the next one."""
        self._should_run = False
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while self._should_run:
            self._due.wait(self._sleep_seconds)
            self._due.clear()
            try:
                # A copy for each run, so that what one run records is not tied to another.
                copy_context().run(self._work)
            except Exception as problem:  # noqa: BLE001 - a dead thread would stop all work until the next wake
                logger.warning(
                    "Background work failed (%s): %s. It will be retried.",
                    self._name,
                    type(problem).__name__,
                    extra={"background": self._name, "problem": type(problem).__name__},
                )
            finally:
                # The thread must return its connection, or the pool is exhausted.
                connections.close_all()
