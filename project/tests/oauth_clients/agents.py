"""Agents of the Model Context Protocol, with the official SDKs: each a process that opens a browser through the test."""

import json
import os
import queue
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from oauth_clients.installation import node, node_with_clients, python_with_mcp

_HERE = Path(__file__).parent

#: The longest that a test waits for an agent, in seconds.
_PATIENCE = 120


class Agent:
    """A running agent.

    Args:
        process: Its process, whose output is lines of JSON.
        errors: The file with its other output.
    """

    def __init__(self, process: "subprocess.Popen[str]", errors: Path) -> None:
        self._errors = errors
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        self._reader.start()

    def end(self) -> None:
        """Wait for the end of its output."""
        self._reader.join()

    def hear(self) -> dict[str, Any]:
        """Return what it says next.

        Raises:
            AssertionError: it ended. The message is its other output.
        """
        line = self._lines.get(timeout=_PATIENCE)
        assert line, self._errors.read_text()
        members: dict[str, Any] = json.loads(line)
        return members

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                self._lines.put(line)
        self._lines.put("")


@contextmanager
def agent(kind: str, folder: Path, **environment: str) -> Iterator[Agent]:
    """Run the agent with the SDK for *kind*, ``python`` or ``node``, until the end of the block."""
    command, trusted = _command(kind, folder, environment["CERTIFICATE"])
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    errors = folder / "agent.log"
    with errors.open("w") as out:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**inherited, **trusted, **environment},
            stdout=subprocess.PIPE,
            stderr=out,
            text=True,
        )
        running = Agent(process, errors)
        try:
            yield running
        finally:
            process.terminate()
            process.wait(timeout=30)
            running.end()


def _command(kind: str, folder: Path, certificate: str) -> tuple[Sequence[str], Mapping[str, str]]:
    if kind == "python":
        return [str(python_with_mcp()), str(_HERE / "python/mcp_agent.py")], {}
    shutil.copy(_HERE / "node/agent.mjs", folder)
    (folder / "node_modules").symlink_to(node_with_clients() / "node_modules")
    return [*node(), "agent.mjs"], {"NODE_EXTRA_CA_CERTS": certificate}
