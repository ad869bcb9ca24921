"""Runs commands in a site, each in a process forked from one that has started Django.

Starting Django takes most of the time of a short command, and a cell runs more than thirty.
"""

import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path

SCRIPT = Path(__file__).with_name("fork_server.py")

#: The longest time for one command, in seconds, on a busy machine.
MOST_SECONDS = 300


class CommandServer:
    """One started Django. Its settings have read *environment*.

    Args:
        python: The interpreter of the site.
        folder: Where ``manage.py`` is.
        environment: All environment variables.
    """

    def __init__(self, python: Path, folder: Path, environment: Mapping[str, str]) -> None:
        """Start the process. It starts Django before the first command."""
        self._startup = tempfile.TemporaryFile("w+")  # noqa: SIM115 - `close` closes it
        self._process = subprocess.Popen(
            [str(python), str(SCRIPT)], cwd=folder, env=dict(environment), text=True, start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._startup,
        )  # fmt: skip

    def run(
        self, arguments: list[str], *, stdin: str, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py …`` or ``-c …`` with more variables, which the settings do not read.

        Its standard error begins with what Django's start wrote there.
        """
        with tempfile.TemporaryDirectory() as streams:
            paths = [Path(streams, name) for name in ("stdin", "stdout", "stderr")]
            for path in paths:
                path.write_text(stdin if path.name == "stdin" else "")
            request = {"arguments": arguments, "environment": dict(environment), "streams": [str(one) for one in paths]}
            assert self._process.stdin
            assert self._process.stdout
            self._process.stdin.write(f"{json.dumps(request)}\n")
            self._process.stdin.flush()
            limit = threading.Timer(MOST_SECONDS, os.killpg, (self._process.pid, signal.SIGKILL))
            limit.start()
            status = int(self._process.stdout.readline() or -signal.SIGKILL)
            limit.cancel()
            self._startup.seek(0)
            error = f"{self._startup.read()}{paths[2].read_text()}"
            return subprocess.CompletedProcess(arguments, status, paths[1].read_text(), error)

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=MOST_SECONDS)
        self._startup.close()
