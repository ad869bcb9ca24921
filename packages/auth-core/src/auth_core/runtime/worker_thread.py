"""Work beside the requests: one thread per process, for what nobody should wait for."""

import logging
import os
import threading
from collections.abc import Callable
from datetime import timedelta

from django.db import connections

logger = logging.getLogger("auth_core.runtime.worker_thread")

#: How long the thread sleeps when nobody wakes it.
_SLEEP = timedelta(seconds=15)


class Background:
    """Does its work when it is woken, and now and then; starts with the first waking.

    Args:
        name: How the thread is called.
        work: What it does; it must bear being done without need.
        every: How long it sleeps when nobody wakes it.
    """

    def __init__(self, name: str, work: Callable[[], object], *, every: timedelta = _SLEEP) -> None:
        self._name = name
        self._work = work
        self._sleep_seconds = every.total_seconds()
        self._reset()
        # A fork copies the locks as they are, held perhaps, and no thread that would let them go.
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._due = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_wanted = True

    @property
    def is_running(self) -> bool:
        """Whether the thread is there, in this process."""
        return self._thread is not None and self._thread.is_alive()

    def wake(self) -> None:
        """See to it that the thread runs, and has something to do."""
        self._due.set()
        with self._lock:
            if not self.is_running:
                self._is_wanted = True
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread when it has done what it is at; what is left over stays for the next."""
        self._is_wanted = False
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while self._is_wanted:
            self._due.wait(self._sleep_seconds)
            self._due.clear()
            try:
                self._work()
            except Exception as problem:  # noqa: BLE001 - a thread that died would leave everything lying until the next waking
                logger.warning(
                    "Work in the background failed; it is tried again.",
                    extra={"background": self._name, "problem": type(problem).__name__},
                )
            finally:
                # A thread of its own must give its connection back, or the pool runs dry.
                connections.close_all()
