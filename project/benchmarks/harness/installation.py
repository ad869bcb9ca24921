"""Installs the peers into var/bench, at pinned versions, when a benchmark needs them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_PEERS = Path(__file__).resolve().parents[1] / "peers"
_FOLDER = _ROOT / "var/bench"


def node_folder(peer: str) -> Path:
    """Return the folder of a Node peer, with its server."""
    shutil.copy(_PEERS / peer / "server.mjs", _FOLDER / peer / "server.mjs")
    return _FOLDER / peer


def peers_python() -> Path:
    """Return the interpreter that has the Python peers."""
    return _FOLDER / "python/bin/python"


def install(*, node_peers: Iterable[str], compiled_argon2: bool) -> None:
    """Install what is missing or was pinned again.

    Args:
        node_peers: The Node peers to install.
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
    for peer in node_peers:
        package, folder = (_PEERS / peer / "package.json").read_text(), _FOLDER / peer
        if _is_stale(peer, package):
            folder.mkdir(exist_ok=True)
            (folder / "package.json").write_text(package)
            _run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder))
            _stamp(peer, package)


def _run(*command: str, **environment: str) -> None:
    subprocess.run(command, check=True, env={**os.environ, **environment})


def _is_stale(name: str, content: str) -> bool:
    stamp = _FOLDER / f"{name}.stamp"
    return not stamp.exists() or stamp.read_text() != content


def _stamp(name: str, content: str) -> None:
    (_FOLDER / f"{name}.stamp").write_text(content)
