"""Virtual environments: one for each set of packages, kind of site and line of Django."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from guests.packages import ROOT, VAR, Addition, uv

#: The Python that runs each line of Django.
PYTHONS = {"5.2": "3.11", "6.1": "3.12"}

#: What a site has for its own tests, without any addition.
TEST_TOOLS = ("pytest", "pytest-django")


def python_of(addition: Addition, site: str, requirements: tuple[str, ...], line: str, wheels: Path) -> Path:
    """Return the interpreter of the virtual environment. It is made again if a wheel or a requirement changed.

    It contains the site's own requirements and the wheels of *addition*, with the dependencies that these declare. The
    packages that are not added are not installed, so an import of one of them fails.
    """
    folder = VAR / "environments" / f"{site}-{addition.name}-{line}"
    installed = [str(_wheel_of(name, wheels)) for name in addition.distributions]
    constraints = ROOT / f"constraints/django-{line}.txt"
    content = b"".join(Path(name).read_bytes() for name in [*installed, str(constraints)])
    stamp = hashlib.sha256(content + repr((requirements, TEST_TOOLS)).encode()).hexdigest()
    python = folder / "bin/python"
    if not python.exists() or (folder / "stamp").read_text() != stamp:
        shutil.rmtree(folder, ignore_errors=True)
        _run("venv", "--quiet", "--python", _interpreter(PYTHONS[line]), str(folder))
        _run(
            *("pip", "install", "--quiet", "--python", str(python), "--constraint", str(constraints)),
            *(f"django~={line}.0", *requirements, *TEST_TOOLS, *installed),
        )
        (folder / "stamp").write_text(stamp)
    return python


def _wheel_of(distribution: str, wheels: Path) -> Path:
    (wheel,) = wheels.glob(f"{distribution.replace('-', '_')}-*.whl")
    return wheel


def _interpreter(version: str) -> str:
    """Return the path of a Python of pyenv, or the version for uv to find."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
    return str(found[-1]) if found else version


def _run(*command: str) -> None:
    subprocess.run([uv(), *command], check=True, env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"})
