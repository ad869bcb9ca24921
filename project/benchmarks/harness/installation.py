"""Installs the peers into var/bench, at pinned versions, when a benchmark needs them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_PEERS = Path(__file__).resolve().parents[1] / "peers"
_FOLDER = _ROOT / "var/bench"

#: The folder of the Node peers.
NODE_PEERS = _FOLDER / "better_auth"


def peers_python() -> Path:
    """Return the interpreter that has the Python peers."""
    return _FOLDER / "python/bin/python"


def install(*, with_node: bool, compiled_argon2: bool) -> None:
    """Install what is missing or was pinned again.

    Args:
        with_node: Whether to install better-auth.
        compiled_argon2: Whether to compile argon2 for this processor, as the image of the product does.

    Raises:
        CalledProcessError: an installation failed.
    """
    _FOLDER.mkdir(parents=True, exist_ok=True)
    requirements = (_PEERS / "requirements.txt").read_text()
    if _is_stale("python", f"{requirements}{compiled_argon2}"):
        uv = shutil.which("uv") or str(_ROOT / ".boot/bin/uv")
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(_FOLDER / "python"))
        options = ["--no-binary", "argon2-cffi-bindings"] if compiled_argon2 else []
        environment = {"CFLAGS": "-O3 -march=native"} if compiled_argon2 else {}
        target = ["--python", str(peers_python()), *options, "-r", str(_PEERS / "requirements.txt")]
        _run(uv, "pip", "install", "--quiet", *target, **environment)
        _stamp("python", f"{requirements}{compiled_argon2}")
    if with_node and _is_stale("node", package := (_PEERS / "better_auth/package.json").read_text()):
        NODE_PEERS.mkdir(exist_ok=True)
        (NODE_PEERS / "package.json").write_text(package)
        _run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(NODE_PEERS))
        _stamp("node", package)


def _run(*command: str, **environment: str) -> None:
    subprocess.run(command, check=True, env={**os.environ, **environment})


def _is_stale(name: str, content: str) -> bool:
    stamp = _FOLDER / f"{name}.stamp"
    return not stamp.exists() or stamp.read_text() != content


def _stamp(name: str, content: str) -> None:
    (_FOLDER / f"{name}.stamp").write_text(content)
