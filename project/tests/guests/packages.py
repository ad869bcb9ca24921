"""The packages, and the sets of them that are added to a site."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

#: Wheels, virtual environments and sites. Git ignores it.
VAR = ROOT / "var/guests"


@dataclass(frozen=True)
class Addition:
    """What is added to a site.

    Args:
        name: The name in the table.
        folders: The folders below ``packages``, in the order in which they are added.
        labels: The labels of the apps, dependents first, so that they can be migrated to zero in this order.
    """

    name: str
    folders: tuple[str, ...]
    labels: tuple[str, ...]

    @property
    def distributions(self) -> tuple[str, ...]:
        """The names on the package index."""
        return tuple(f"enterprise-{'auth-core' if one == 'auth-core' else f'auth-{one}'}" for one in self.folders)


ADDITIONS = {
    one.name: one
    for one in (
        Addition("core", ("auth-core",), ("auth_core",)),
        Addition("mfa", ("auth-core", "mfa"), ("auth_mfa", "auth_core")),
        Addition("rbac", ("auth-core", "rbac"), ("auth_rbac", "auth_core")),
        Addition("sessions", ("auth-core", "sessions"), ("auth_sessions", "auth_core")),
        Addition("audit", ("auth-core", "audit-logging"), ("auth_audit", "auth_core")),
        Addition(
            "all",
            ("auth-core", "mfa", "rbac", "sessions", "audit-logging"),
            ("auth_audit", "auth_sessions", "auth_rbac", "auth_mfa", "auth_core"),
        ),
    )
}


def uv() -> str:
    """Return the path of uv, which is a requirement of the chores."""
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.exists() else shutil.which("uv") or "uv"


def build_wheels() -> Path:
    """Build the wheel of each package. Return their folder."""
    folder = VAR / "wheels"
    shutil.rmtree(folder, ignore_errors=True)
    for name in ADDITIONS["all"].folders:
        subprocess.run(
            [uv(), "build", "--quiet", "--wheel", "--out-dir", str(folder), str(ROOT / "packages" / name)],
            check=True,
            env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
        )
    return folder
