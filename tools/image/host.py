"""What the run needs from this machine, which replaces the base images."""

import os
import shutil
import subprocess
from pathlib import Path

#: The Python of the base image in project/Dockerfile.
PYTHON = "3.13"

#: Programs that the containers and their sandboxes run, by the name of the package that has them on Debian.
_PROGRAMS = {"nginx": "nginx", "redis-server": "redis-server", "ip": "iproute2", "cc": "gcc",
             "unshare": "util-linux", "nsenter": "util-linux", "setpriv": "util-linux"}  # fmt: skip

#: Where PostgreSQL has its programs on Debian, one folder for each version.
_POSTGRESQL = Path("/usr/lib/postgresql")


def find_python() -> Path | None:
    """Return the interpreter of `PYTHON`, or ``None``."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [str(path) for path in sorted(pyenv.glob(f"versions/{PYTHON}.*/bin/python{PYTHON}"))]
    for candidate in [*found, shutil.which(f"python{PYTHON}") or ""]:
        if candidate and subprocess.run([candidate, "-c", ""], check=False, capture_output=True).returncode == 0:
            return Path(candidate).resolve()
    return None


def find_postgresql() -> Path | None:
    """Return the folder of the programs of the newest PostgreSQL, or ``None``."""
    folders = [path.parent for path in _POSTGRESQL.glob("*/bin/initdb")]
    return max(folders, key=lambda folder: int(folder.parent.name), default=None)


def missing_parts() -> list[str]:
    """Name everything that this machine lacks. A missing program would be a mount error in the middle of the run."""
    missing = ["root, for mounts and network namespaces"] if os.getuid() != 0 else []
    missing += [f"{name}, of the package {package}" for name, package in _PROGRAMS.items() if not shutil.which(name)]
    if find_python() is None:
        missing.append(f"python{PYTHON}, for the base image of project/Dockerfile")
    if find_postgresql() is None:
        missing.append(f"postgres, of the package postgresql, below {_POSTGRESQL}")
    return missing
