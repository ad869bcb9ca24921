"""The sites: what each requires, and how it is written."""

import base64
import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from guests.packages import VAR, Addition

HERE = Path(__file__).parent
ADDED = HERE.parent / "additions"
PROBES = HERE.parent / "in_site"


@dataclass(frozen=True)
class Kind:
    """A kind of site.

    Args:
        name: The name of its folder, which is copied over the common one.
        requirements: What the site itself needs, as pip reads it.
    """

    name: str
    requirements: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The files of this kind."""
        return HERE / self.name


KINDS = {
    one.name: one
    for one in (
        Kind("stock", ("djangorestframework",)),
        Kind("email", ("djangorestframework",)),
        Kind("phone", ("djangorestframework",)),
        Kind("wagtail", ("djangorestframework", "wagtail")),
        Kind("jwt", ("djangorestframework", "djangorestframework-simplejwt")),
        Kind("allauth", ("djangorestframework", "django-allauth")),
    )
}


class CommandFailed(AssertionError):
    """A command in a site failed. The message ends with its output."""


@dataclass
class Site:
    """A site on disk, with its interpreter.

    Args:
        folder: Where ``manage.py`` is.
        python: The interpreter of its virtual environment.
        addition: What is added to it.
        kind: Which site it is.
        environment: Variables of all of its commands.
    """

    folder: Path
    python: Path
    addition: Addition
    kind: Kind
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run *command* in the site's folder.

        Raises:
            CommandFailed: its status is not 0.
        """
        done = self.attempt(*command, stdin=stdin, **environment)
        if done.returncode != 0:
            raise CommandFailed(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def attempt(self, *command: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run *command* in the site's folder, whatever its status."""
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DJANGO_", "PYTHON", "VIRTUAL_ENV"))
        }
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**clean, "PYTHONDONTWRITEBYTECODE": "1", **self.environment, **environment},
            capture_output=True, text=True, check=False, input=stdin, timeout=300,
        )  # fmt: skip

    def manage(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py`` with *arguments*."""
        return self.run(str(self.python), "manage.py", *arguments, stdin=stdin, **environment)

    def script(self, source: str, **environment: str) -> str:
        """Run Python statements in the site, with Django set up. Return what they print."""
        return self.run(
            str(self.python), "-c", f"import django\ndjango.setup()\n{source}",
            DJANGO_SETTINGS_MODULE="mysite.settings", **environment,
        ).stdout  # fmt: skip


def write_site(kind: Kind, addition: Addition, line: str, python: Path) -> Site:
    """Write a site of *kind*, first alone and then with *addition*, as a developer does. Migrate it."""
    folder = VAR / "sites" / f"{kind.name}-{addition.name}-{line}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    site = Site(folder, python, addition, kind)
    site.run(str(python), "-m", "django", "startproject", "mysite", ".")
    for source in (HERE / "common", kind.folder):
        for name in ("settings", "urls"):
            _append(
                folder / f"mysite/{name}.py", source / f"{name}.py", replace=source.name == "common" and name == "urls"
            )
        shutil.copytree(
            source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("settings.py", "urls.py", "__pycache__")
        )
    own_apps = [name for name in ("people", "visits", "archive") if (folder / name).is_dir()]
    site.manage("makemigrations", *own_apps)
    site.manage("migrate", "--verbosity", "0")
    _add(site)
    _copy_probes(site)
    site.manage("migrate", "--verbosity", "0")
    return site


def _add(site: Site) -> None:
    """Add the packages to the settings and URLs. ``GUEST_WITHOUT`` leaves them out again."""
    for name in ("settings", "urls"):
        blocks = "".join(
            (ADDED / f"{one}/{name}.py").read_text()
            for one in site.addition.folders
            if (ADDED / f"{one}/{name}.py").exists()
        )
        key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        inner = "".join(
            f"    {text}" if text.strip() else text
            for text in blocks.replace("<field key>", key).splitlines(keepends=True)
        )
        target = site.folder / f"mysite/{name}.py"
        target.write_text(
            f"{target.read_text()}\nimport os\n\nif not os.environ.get('GUEST_WITHOUT'):\n{inner or '    pass'}\n"
        )


def _copy_probes(site: Site) -> None:
    tests = site.folder / "visits/tests"
    tests.mkdir(exist_ok=True)
    (tests / "__init__.py").touch()
    wanted = {"people", "admin_site", "database", "test_case", site.kind.name}
    if "audit-logging" in site.addition.folders:
        wanted.add("trail")
    for path in PROBES.glob("*.py"):
        name = path.stem.removesuffix("_probes")
        if path.stem == "helpers" or name in wanted:
            shutil.copy(path, tests / ("helpers.py" if path.stem == "helpers" else f"test_{name}.py"))


def _append(target: Path, source: Path, *, replace: bool) -> None:
    if source.exists():
        target.write_text(source.read_text() if replace else f"{target.read_text()}\n{source.read_text()}")
