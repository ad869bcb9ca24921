"""The process of a server for one test, which may kill and pause it."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from types import TracebackType
from typing import Self


class OwnServer:
    """A server that runs during a ``with``. It and its files are removed at the end."""

    _server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def process(self) -> int:
        """The id of its first process.

        Raises:
            LookupError: it does not run.
        """
        if self._server is None:
            raise LookupError("The server does not run.")
        return self._server.pid

    def start(self) -> None:
        """Start the server and wait until it answers."""
        raise NotImplementedError

    def kill(self) -> None:
        """Kill the server and all its processes, as a crash would."""
        if self._server is not None:
            self._signal(signal.SIGKILL)
            self._server.wait()
            self._server = None

    def pause(self) -> None:
        """Stop the processes. The system accepts connections, but the server does not answer."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Continue the paused processes with their data."""
        self._signal(signal.SIGCONT)

    def _wait(self, server: "subprocess.Popen[bytes]", *, seconds: float) -> None:
        """Wait until *server* answers.

        Raises:
            TimeoutError: it has ended, or does not answer in time.
        """
        deadline = time.monotonic() + seconds
        while not self._answers():
            if time.monotonic() > deadline or server.poll() is not None:
                raise TimeoutError("The server does not answer.")
            time.sleep(0.02)

    def _answers(self) -> bool:
        raise NotImplementedError

    def _processes_of(self, server: "subprocess.Popen[bytes]") -> list[int]:
        """Return the ids of the processes, in the order in which they are signalled."""
        return [server.pid]

    def _signal(self, number: signal.Signals) -> None:
        for process in [] if self._server is None else self._processes_of(self._server):
            with suppress(ProcessLookupError):
                os.kill(process, number)
