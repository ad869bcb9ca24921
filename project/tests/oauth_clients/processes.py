"""Runs the site of a client for one test."""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import requests

#: Host of the clients. For a browser it is another site than ``localhost``, which has the service.
HOST = "127.0.0.1"


@contextmanager
def running(command: Sequence[str], *, port: int, folder: Path, **environment: str) -> Iterator[None]:
    """Run *command* in *folder* until the end of the block, and wait until *port* answers.

    Raises:
        AssertionError: it ended, or did not answer within a minute. The message is its output.
    """
    output = folder / "output"
    with output.open("w") as out:
        process = subprocess.Popen(
            command, cwd=folder, env={**inherited(), **environment}, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            deadline = time.monotonic() + 60
            while not _answers(port):
                assert process.poll() is None, output.read_text()
                assert time.monotonic() < deadline, output.read_text()
                time.sleep(0.05)
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def _answers(port: int) -> bool:
    """Return whether the site answers with anything. A port alone may be open before a server has read its settings."""
    try:
        requests.head(f"http://{HOST}:{port}/", timeout=5)
    except requests.RequestException:
        return False
    return True


def run_script(script: str, *, folder: Path, **environment: str) -> None:
    """Run a script of the shell in *folder*. It stops at the first command that fails.

    Raises:
        AssertionError: a command failed. The message is the output.
    """
    done = subprocess.run(
        ["sh", "-euc", script], cwd=folder, env={**inherited(), **environment}, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def inherited() -> dict[str, str]:
    """Return the environment of a client: what a program needs to start, and nothing of the tests."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
