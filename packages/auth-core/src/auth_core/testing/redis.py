"""A Redis of a test's own, on a Unix socket, so that it may be killed, flushed and filled."""

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
    """Runs ``redis-server`` with no port; nothing of it outlives the ``with``."""

    def __init__(self, *options: str) -> None:
        # Short: the path of a Unix socket has 107 characters at the most.
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
        """Start it, empty, and wait until it answers."""
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
        """End it as a crash would."""
        if self._server is not None:
            os.kill(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._server = None

    def pause(self) -> None:
        """Let it hang: connections are taken, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it answer again, with everything it held."""
        self._signal(signal.SIGCONT)

    def flush(self) -> None:
        """Forget everything it holds."""
        self.client.flushall()

    def _signal(self, number: signal.Signals) -> None:
        if self._server is not None:
            os.kill(self._server.pid, number)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False
