"""The sites: what each requires, and how it is written."""

import base64
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from guests.command_server import MOST_SECONDS, CommandServer
from guests.packages import VAR, Addition
from guests.postgresql import new_database

HERE = Path(__file__).parent
ADDED = HERE.parent / "additions"
PROBES = HERE.parent / "in_site"


#: Test databases in files (SQLite): of the site before the packages were added, and with them.
ALONE, KEPT = "alone.sqlite3", "kept.sqlite3"


@dataclass(frozen=True)
class Kind:
    """A kind of site.

    Args:
        name: The name of its folder, which is copied over the common one. A stock site has none.
        requirements: What the site itself needs, as pip reads it.
        database: The engine of its database.
        has_many_migrations: Whether all of its tests use one migrated database, because each would take a minute.
    """

    name: str
    requirements: tuple[str, ...] = ()
    database: str = "sqlite"
    has_many_migrations: bool = False

    @property
    def folder(self) -> Path:
        """The files of this kind."""
        return HERE / self.name


KINDS = {
    one.name: one
    for one in (
        Kind("stock", ("djangorestframework",)),
        Kind("postgresql", ("djangorestframework", "psycopg[binary]"), "postgresql"),
        Kind("email", ("djangorestframework",)),
        Kind("phone", ("djangorestframework",)),
        Kind("wagtail", ("djangorestframework", "wagtail"), has_many_migrations=True),
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
        servers: A started Django for each set of variables that the settings read.
    """

    folder: Path
    python: Path
    addition: Addition
    kind: Kind
    environment: dict[str, str] = field(default_factory=dict)
    servers: dict[frozenset[tuple[str, str]], CommandServer] = field(default_factory=dict)

    def run(self, *command: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run *command* in the site's folder.

        Raises:
            CommandFailed: its status is not 0.
        """
        return _checked(self.attempt(*command, stdin=stdin, **environment))

    def attempt(self, *command: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run *command* in the site's folder. Its status is not checked."""
        return subprocess.run(
            command, cwd=self.folder, env=self._variables(environment),
            capture_output=True, text=True, check=False, input=stdin, timeout=MOST_SECONDS,
        )  # fmt: skip

    def fork(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py …`` or ``-c …`` as `attempt` does, in a process forked from a started Django."""
        read_by_settings = {
            name: value for name, value in {**self.environment, **environment}.items() if name.startswith("GUEST_")
        }
        key = frozenset(read_by_settings.items())
        if key not in self.servers:
            self.servers[key] = CommandServer(self.python, self.folder, self._variables(read_by_settings))
        return self.servers[key].run(list(arguments), stdin=stdin, environment=environment)

    def stop_servers(self) -> None:
        """End the started Djangos."""
        while self.servers:
            self.servers.popitem()[1].close()

    def _variables(self, more: Mapping[str, str]) -> dict[str, str]:
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("DJANGO_", "PYTHON", "VIRTUAL_ENV"))
        }
        return {**clean, **self.environment, **more}

    def manage(self, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ``manage.py`` with *arguments*.

        Raises:
            CommandFailed: its status is not 0.
        """
        return _checked(self.fork("manage.py", *arguments, stdin=stdin, **environment))

    def script(self, source: str, **environment: str) -> str:
        """Run Python statements in the site, with Django set up. Return what they print.

        Raises:
            CommandFailed: they raised an exception.
        """
        return _checked(self.fork("-c", f"import django\ndjango.setup()\n{source}", **environment)).stdout


def _checked(done: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    if done.returncode != 0:
        raise CommandFailed(f"{' '.join(done.args)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


@contextmanager
def write_site(kind: Kind, addition: Addition, line: str, python: Path) -> Iterator[Site]:
    """Write a site of *kind*, first alone and then with *addition*, as a developer does. Migrate it."""
    folder = VAR / "sites" / f"{kind.name}-{addition.name}-{line}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    site = Site(folder, python, addition, kind)
    if kind.database == "postgresql":
        site.environment["GUEST_POSTGRESQL"] = new_database(f"guest_{addition.name}_{line.replace('.', '_')}")
    try:
        _write(site)
        site.manage("makemigrations", *_own_apps(site), GUEST_WITHOUT="1")
        _migrate(site, ALONE, GUEST_WITHOUT="1")
        _add(site)
        _copy_probes(site)
        _migrate(site, KEPT)
        yield site
    finally:
        site.stop_servers()


def _migrate(site: Site, copy: str, **environment: str) -> None:
    """Migrate the site, and copy its database, which saves as many seconds for each run of its tests."""
    site.manage("migrate", "--verbosity", "0", **environment)
    if site.kind.database == "sqlite":
        shutil.copy(site.folder / "db.sqlite3", site.folder / copy)


def _write(site: Site) -> None:
    site.run(str(site.python), "-m", "django", "startproject", "mysite", ".")
    for source in filter(Path.is_dir, (HERE / "common", site.kind.folder)):
        for name in ("settings", "urls"):
            _append(
                site.folder / f"mysite/{name}.py",
                source / f"{name}.py",
                replace=source.name == "common" and name == "urls",
            )
        shutil.copytree(
            source,
            site.folder,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("settings.py", "urls.py", "__pycache__"),
        )


def _own_apps(site: Site) -> list[str]:
    return [name for name in ("people", "visits", "archive") if (site.folder / name).is_dir()]


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
    wanted |= {
        name for folder, name in (("audit-logging", "trail"), ("rbac", "rbac")) if folder in site.addition.folders
    }
    for path in PROBES.glob("*.py"):
        name = path.stem.removesuffix("_probes")
        if path.stem == "helpers" or name in wanted:
            shutil.copy(path, tests / ("helpers.py" if path.stem == "helpers" else f"test_{name}.py"))


def _append(target: Path, source: Path, *, replace: bool) -> None:
    if source.exists():
        target.write_text(source.read_text() if replace else f"{target.read_text()}\n{source.read_text()}")
