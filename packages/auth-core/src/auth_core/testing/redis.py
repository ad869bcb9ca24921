"""A Redis server for one test, on a Unix socket. The test may kill, flush and fill it."""

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import redis

from auth_core.testing.own_server import OwnServer


class OwnRedis(OwnServer):
    """A ``redis-server`` process without a port. It and its files are removed at the end of the ``with``."""

    def __init__(self, *options: str) -> None:
        # The path must be short, because that of a Unix socket has at most 107 characters.
        self._folder = Path(tempfile.mkdtemp(prefix="redis-", dir="/tmp"))
        self._options = options
        self.url = f"unix://{self._folder}/redis.sock"
        self.client = redis.Redis.from_url(self.url)

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.client.close()
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Start an empty server and wait until it answers."""
        self._server = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", f"{self._folder}/redis.sock", "--save", "",
             "--appendonly", "no", "--dir", str(self._folder), "--daemonize", "no", *self._options],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        self._wait(self._server, seconds=10)

    def flush(self) -> None:
        """Delete all keys."""
        self.client.flushall()

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False
