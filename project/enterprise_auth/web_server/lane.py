"""A lane: a fixed number of threads that run jobs from a queue."""

import threading
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue

Job = Callable[[], None]


class Lane:
    """Threads that run jobs. They start with the first job, because a fork does not copy threads.

    Args:
        threads: Maximum number of jobs that run at once.
        name: Prefix of the names of the threads.
        queue: Maximum number of jobs that wait. ``None``: any number.
        prepare: Called once in each thread, before its first job.
    """

    def __init__(
        self, threads: int, name: str, *, queue: int | None = None, prepare: Callable[[], None] = lambda: None
    ) -> None:
        self._threads = threads
        self._name = name
        self._most = None if queue is None else threads + queue
        self._prepare = prepare
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._started = False
        self._lock = threading.Lock()
        self._unfinished = 0

    @property
    def is_full(self) -> bool:
        """Whether every thread is busy and the queue is full."""
        return self._most is not None and self._unfinished >= self._most

    def run(self, job: Job) -> None:
        """Run *job*, which must not raise, in the next free thread. Call it only from the event loop."""
        if not self._started:
            self._started = True
            for number in range(self._threads):
                threading.Thread(target=self._work, name=f"{self._name}-{number}", daemon=True).start()
        with self._lock:
            self._unfinished += 1
        self._jobs.put(job)

    def _work(self) -> None:
        self._prepare()
        while True:
            job = self._jobs.get()
            # A copy for each job: what a request leaves in the context of its thread must not reach the next request.
            copy_context().run(job)
            with self._lock:
                self._unfinished -= 1
