"""Installs the clients into var/oauth_clients, at pinned versions, when they or their pins are new."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from guests.packages import ROOT, uv

_HERE = Path(__file__).parent
_FOLDER = ROOT / "var/oauth_clients"

#: The oldest Node that the SDK of the Model Context Protocol runs on.
_OLDEST_NODE = 20

_MODULE = "mod_auth_openidc.so"


class NotInstalled(Exception):
    """A program of the system is missing. No test is skipped for it."""


def python_with_authlib() -> Path:
    """Return a Python that has Authlib and Django, and nothing of ours."""

    def install(folder: Path) -> None:
        subprocess.run([uv(), "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
        target = ["--python", folder / "bin/python", "--require-hashes", "-r", folder / "pins"]
        shutil.copy(_HERE / "python/requirements.txt", folder / "pins")
        subprocess.run([uv(), "pip", "install", "--quiet", *target], check=True)

    return _installed("python", ["python/requirements.txt"], install) / "bin/python"


def python_with_mcp() -> Path:
    """Return a Python that has the SDK of the Model Context Protocol, Django and auth-core with its resource side."""

    def install(folder: Path) -> None:
        subprocess.run([uv(), "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
        target = ["--quiet", "--python", folder / "bin/python"]
        subprocess.run(
            [uv(), "pip", "install", *target, "--require-hashes", "-r", _HERE / "python/mcp.txt"], check=True
        )
        subprocess.run([uv(), "pip", "install", *target, "--no-deps", "-e", ROOT / "packages/auth-core"], check=True)

    return _installed("python_mcp", ["python/mcp.txt"], install) / "bin/python"


def node_with_clients() -> Path:
    """Return a folder whose modules have openid-client, jose and the SDK of the Model Context Protocol.

    Raises:
        NotInstalled: there is no npm.
    """
    return _npm("node")


def node() -> list[str]:
    """Return the command that runs Node: the one of the system, or one of our own if that is too old, as in Debian 12.

    Raises:
        NotInstalled: there is no Node or no npm.
    """
    program = _program("node", package="nodejs")
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
    if int(version.removeprefix("v").partition(".")[0]) >= _OLDEST_NODE:
        return [program]
    machine = "arm64" if platform.machine() == "aarch64" else "x64"
    return [str(_npm("runtime") / f"node_modules/node-linux-{machine}/bin/node")]


def _npm(name: str) -> Path:
    """Return the folder with the modules that ``<name>/package-lock.json`` pins.

    Raises:
        NotInstalled: there is no npm.
    """
    npm = _program("npm", package="npm")
    pins = [f"{name}/package.json", f"{name}/package-lock.json"]

    def install(folder: Path) -> None:
        folder.mkdir()
        for pin in pins:
            shutil.copy(_HERE / pin, folder)
        subprocess.run([npm, "ci", "--silent", "--no-audit", "--no-fund"], cwd=folder, check=True)

    return _installed(name, pins, install)


def apache_with_openidc() -> tuple[str, Path]:
    """Return the path of Apache, and the folder of its modules.

    Raises:
        NotInstalled: one of the two packages is not installed.
    """
    modules = Path("/usr/lib/apache2/modules")
    if not (modules / _MODULE).exists():
        raise NotInstalled(f"{_MODULE} is not installed: apt-get install apache2-bin libapache2-mod-auth-openidc")
    return _program("apache2", package="apache2-bin"), modules


def _program(name: str, *, package: str) -> str:
    # Debian puts servers into a folder that is not on the path of every user.
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin"]))
    if found is None:
        raise NotInstalled(f"{name} is not installed: apt-get install {package}")
    return found


def _installed(name: str, pins: Sequence[str], install: Callable[[Path], None]) -> Path:
    """Return the folder, after *install* has filled it if the pins are new."""
    folder, stamp = _FOLDER / name, _FOLDER / f"{name}.stamp"
    content = "".join((_HERE / pin).read_text() for pin in pins)
    if not stamp.exists() or stamp.read_text() != content:
        _FOLDER.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        install(folder)
        stamp.write_text(content)
    return folder
