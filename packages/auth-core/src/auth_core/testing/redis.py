"""A Redis server for one test, on a Unix socket. The test may kill, flush and fill it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import redis


class OwnRedis:
    """A ``redis-server`` process without a port. It and its files are removed at the end of the ``with``."""

    def __init__(self, *options: str) -> None:
        # The path must be short, because that of a Unix socket has at most 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="redis-", dir="/tmp"))
        self._options = options
        self._server: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._folder}/redis.sock"
        self.client = redis.Redis.from_url(self.url)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self.client.close()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start an empty server and wait until it answers."""
        self._server = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", f"{self._folder}/redis.sock", "--save", "",
             "--appendonly", "no", "--dir", str(self._folder), "--daemonize", "no", *self._options],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 10
        while not self._answers():
            if time.monotonic() > deadline:
                raise TimeoutError("redis-server does not answer.")
            time.sleep(0.01)

    def kill(self) -> None:
        """Kill the server, as a crash would."""
        if self._server is not None:
            os.kill(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._server = None

    def pause(self) -> None:
        """Stop the process. The system accepts connections, but the server does not answer."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Continue the paused process with its data."""
        self._signal(signal.SIGCONT)

    def flush(self) -> None:
        """Delete all keys."""
        self.client.flushall()

    def _signal(self, number: signal.Signals) -> None:
        if self._server is not None:
            os.kill(self._server.pid, number)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False
