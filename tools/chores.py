"""The chores of ``./dev``, run after the installation.

Every step prints its duration. A skipped test, or a run without a test, is a
failure, because both look like success and prove nothing.
"""

import base64
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from asvs.rows import marks, unproved
from servers import LOCAL_POSTGRESQL, StepFailed, real_servers

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ["auth-core", "mfa", "rbac", "sessions", "audit-logging"]
MEMBERS = [*(f"packages/{name}" for name in PACKAGES), "project"]
#: The folders with tests. The provider, the resource side and federation are extras of auth-core, which its other tests prove
#: to work without.
SUITES = ["packages/auth-core/oauth", "packages/auth-core/oauth_resource", "packages/auth-core/federation", *MEMBERS]
#: Tests of the project that mostly wait for services of their own, or measure alone. They run beside its others.
SLOW_TESTS = [
    "tests/attacks",
    "tests/oauth_clients",
    *(f"tests/test_{name}.py" for name in ("early_answers", "growth", "live", "production", "redis_servers")),
    *(f"tests/test_{name}.py" for name in ("slow_clients", "sub_path")),
]
#: What `test` runs one after the other on PostgreSQL: folders, each with arguments for pytest. The lanes run in parallel,
#: and take about as long.
LANES: list[list[tuple[str, ...]]] = [
    [("packages/auth-core",), ("packages/auth-core/oauth_resource",), ("packages/mfa",), ("packages/audit-logging",)],
    [("packages/auth-core/oauth",), ("packages/auth-core/federation",), ("packages/rbac",), ("packages/sessions",)],
    [("project", *(f"--ignore={path}" for path in SLOW_TESTS))],
    [("project", *SLOW_TESTS)],
]
DJANGO_LINES = {"5.2": "3.11", "6.0": "3.12", "6.1": "3.12"}
#: The Python of the base image in project/Dockerfile.
IMAGE_PYTHON = "3.13"
#: The newest line of the matrix, which the gate runs on SQLite. In CI `test` has run everything on the oldest line, on
#: PostgreSQL. `./dev matrix` runs all lines on both.
GATE_LINE = "py313-dj61"
#: The cells that the gate runs in parallel.
GATE = (("core", "oauth", "resource", "federation", "mfa", "rbac", "sessions", "audit"), ("project",))
#: The marked tests that ran and passed. `test` starts it, and `shots`, `faults` and `gate` add to it.
LEDGER = ROOT / "var/asvs"

#: Commands that write the generated files. With ``--check`` each only compares, and fails if its file is stale.
GENERATED_BY = (
    (sys.executable, "-m", "asvs"),
    (sys.executable, "-m", "provider"),
    (sys.executable, "-m", "reference"),
    (sys.executable, "-m", "architecture"),
    (sys.executable, str(ROOT / "project/manage.py"), "env_example", "--settings", "enterprise_auth.settings.testing"),
)


def run(*command: str, cwd: Path = ROOT, environment: Mapping[str, str] | None = None, is_alone: bool = True) -> None:
    """Run *command* and print its duration. If it is not alone, print its output at once at the end.

    Raises:
        StepFailed: it exited with another status than 0.
    """
    began = time.monotonic()
    title = f"--- {' '.join(command)}  [{cwd.relative_to(ROOT)}]"
    if is_alone:
        print(title, flush=True)
    done = subprocess.run(
        command, cwd=cwd, env={**os.environ, **(environment or {})}, check=False, text=True,
        stdout=None if is_alone else subprocess.PIPE, stderr=None if is_alone else subprocess.STDOUT,
    )  # fmt: skip
    printed = "" if is_alone else f"{title}\n{done.stdout}"
    print(f"{printed}--- {time.monotonic() - began:.1f} s, status {done.returncode}", flush=True)
    if done.returncode != 0:
        raise StepFailed(" ".join(command))


def pytest(folder: str, *options: str, **environment: str) -> None:
    """Run the tests in *folder*.

    Raises:
        StepFailed: a test failed or was skipped, or there was none.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-ra", "--durations=3", *options]
    if environment.get("ASVS_LEDGER"):
        path = os.pathsep.join(filter(None, [str(ROOT / "tools"), os.environ.get("PYTHONPATH", "")]))
        environment, command = {**environment, "PYTHONPATH": path}, [*command, "-p", "asvs.ledger"]
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT / folder, env={**os.environ, **environment}, check=False, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    on = " on PostgreSQL" if environment.get("TEST_DATABASE_URL") else ""
    # One print call, because another run may print at the same time.
    print(
        f"--- pytest {' '.join(options)}  [{folder}{on}]\n{done.stdout}--- {time.monotonic() - began:.1f} s, status {done.returncode}",
        flush=True,
    )
    # A thread may print after pytest's summary, for example when its database is gone.
    lines = reversed(done.stdout.splitlines())
    closing = next((line for line in lines if re.search(r" in \d+\.\d+s\b", line)), "")
    if done.returncode != 0:
        raise StepFailed(f"pytest in {folder}")
    if not re.search(r"\b\d+ passed", closing) or re.search(r"\b\d+ (skipped|xfailed|xpassed)", closing):
        raise StepFailed(f"pytest in {folder}: {closing or 'no test'}")


def together(*jobs: Callable[[], None]) -> None:
    """Run *jobs* in parallel. Wait for all, then report the failed ones.

    Raises:
        StepFailed: one of them failed.
    """
    with ThreadPoolExecutor(len(jobs)) as pool:
        failures = [job.exception() for job in [pool.submit(job) for job in jobs]]
    if unexpected := [failure for failure in failures if failure and not isinstance(failure, StepFailed)]:
        raise unexpected[0]
    if failed := [str(failure) for failure in failures if failure]:
        raise StepFailed("; ".join(failed))


def test(*options: str) -> None:
    """Run all tests on SQLite, and in parallel on PostgreSQL and Redis.

    Each of `LANES` has a PostgreSQL, so they do not compete for connections. If ``TEST_DATABASE_URL`` names one, they
    share it and run one after the other.

    ``TEST_ON=postgresql`` leaves out SQLite. CI does, because its gate runs the same tests on SQLite.
    """
    shutil.rmtree(LEDGER, ignore_errors=True)
    LEDGER.mkdir(parents=True)
    suites: list[tuple[str, ...]] = [(suite,) for suite in SUITES]
    runs = [suites] if os.environ.get("TEST_DATABASE_URL") else LANES
    on_sqlite = [] if os.environ.get("TEST_ON") == "postgresql" else suites
    together(
        partial(_all, [(".",), *on_sqlite], options, "", ""),
        *(partial(_all_on_real_servers, folders, options) for folders in runs),
    )


def _all_on_real_servers(folders: Sequence[tuple[str, ...]], options: Sequence[str]) -> None:
    with real_servers() as servers:
        if servers is not None:
            _all(folders, options, *servers)


def _all(folders: Sequence[tuple[str, ...]], options: Sequence[str], database: str, redis: str) -> None:
    """Run the tests in *folders*, each with its arguments, on one database. A failure in one folder does not stop the others."""
    servers = {"TEST_DATABASE_URL": database, "TEST_REDIS_URL": redis, "ASVS_LEDGER": str(LEDGER)}
    _all_of(*(partial(pytest, folder, *arguments, *options, **servers) for folder, *arguments in folders))


def proofs() -> None:
    """Fail if a test that proves an ASVS row has not run and passed since `test` began.

    Raises:
        StepFailed: there is such a test.
    """
    missing = list(unproved(marks(ROOT), LEDGER))
    print("\n".join([*missing, f"=== ASVS: {len(missing)} marked tests have not run and passed"]), flush=True)
    if missing:
        raise StepFailed(f"{len(missing)} tests that prove an ASVS row have not run and passed")


def cell(folder: str) -> None:
    """Run the tests in *folder* inside an environment of tox: on SQLite, and on PostgreSQL if there is one.

    ``TEST_ON`` selects one of the two. Without PostgreSQL the tests run on SQLite in any case.
    """
    on, database = os.environ.get("TEST_ON", "both"), os.environ.get("TEST_DATABASE_URL", "")
    ledger = os.environ.get("ASVS_LEDGER", "")
    if on != "postgresql" or not database:
        # In CI `test` has run the slow ones. They start the service on databases of their own.
        slow = [f"--ignore={path}" for path in SLOW_TESTS] if (folder, on) == ("project", "sqlite") else []
        pytest(folder, *slow, TEST_DATABASE_URL="", TEST_REDIS_URL="", ASVS_LEDGER=ledger)
    if on != "sqlite" and database:
        pytest(folder, ASVS_LEDGER=ledger)


def races(*options: str) -> None:
    """Run the long tests of parallel requests."""
    _marked("races", options)


def timing(*options: str) -> None:
    """Run the tests that compare response times."""
    _marked("timing", options)


def scale(*options: str) -> None:
    """Run the tests that fill tables with millions of rows, and print the query plans."""
    _marked("scale", options)


def shots(*options: str) -> None:
    """Run the user journeys in Chromium, and save screenshots in var/shots."""
    _marked("shots", options)


def faults(*options: str) -> None:
    """Run the tests that stop a server. CI runs the short ones with ``-m "faults and not long"``."""
    _marked("faults", options)


def check() -> None:
    """Check lint, types, layers, migrations and deployment. Report all failures."""
    together(_check_source, _check_site)


def fix() -> None:
    """Format the source, and regenerate all generated pages and files."""
    run("ruff", "check", "--fix-only", "--quiet", ".")
    run("ruff", "format", "--quiet", ".")
    for command in GENERATED_BY:
        run(*command, cwd=ROOT / "tools")


def planted(*names: str) -> None:
    """Plant every known defect, or those whose names start with *names*, in a copy. Its test must fail."""
    run(sys.executable, "-m", "planted", *names, cwd=ROOT / "tools")


def mutants(*options: str) -> None:
    """Make small defects in the listed security modules that changed. A test must fail for each. See tools/mutants."""
    run(sys.executable, "-m", "pytest", "-q", "tests/mutator_tests.py", cwd=ROOT / "tools/mutants")
    run(sys.executable, "-m", "mutants", *options, cwd=ROOT / "tools")


def _check_source() -> None:
    lint = partial(run, is_alone=False)
    _all_of(
        partial(lint, "mypy"),
        partial(lint, "ruff", "check", "."),
        partial(lint, "ruff", "format", "--check", "."),
        partial(lint, "lint-imports"),
    )


def _check_site() -> None:
    schema = ["spectacular", "--validate", "--fail-on-warn", "--file", os.devnull]
    deployment = ["check", "--deploy", "--fail-level", "WARNING"]
    _all_of(
        partial(run, sys.executable, "-m", "house_lint", str(ROOT), cwd=ROOT / "tools", is_alone=False),
        partial(_manage, "makemigrations", "--check", "--dry-run", settings="testing"),
        partial(_manage, *schema, settings="testing"),
        *(partial(run, *command, "--check", cwd=ROOT / "tools", is_alone=False) for command in GENERATED_BY),
        partial(_manage, *deployment, settings="production", **production_environment()),
    )


def _all_of(*steps: Callable[[], None]) -> None:
    """Run all *steps* in order, then report the failed ones.

    Raises:
        StepFailed: one of them failed.
    """
    failed = []
    for step in steps:
        try:
            step()
        except StepFailed as problem:
            failed.append(str(problem))
    if failed:
        raise StepFailed("; ".join(failed))


def gate() -> None:
    """Run each package alone, and the service, on the newest Django and SQLite."""
    LEDGER.mkdir(parents=True, exist_ok=True)
    together(*(partial(_cells, cells) for cells in GATE))


def _cells(cells: Sequence[str]) -> None:
    _tox("-e", ",".join(f"{name}-{GATE_LINE}" for name in cells), TEST_ON="sqlite", ASVS_LEDGER=str(LEDGER))


def matrix(*options: str) -> None:
    """Run every cell, or those named with ``-e``. A missing interpreter (3.11 to 3.13) is a failure."""
    _tox(*options)


def guests(*options: str) -> None:
    """Add the packages to other sites, as their users do, and probe what must still work. ``--all`` for every site.

    ``--help`` lists the options. Wheels, virtual environments and sites are in var/guests.
    """
    with real_servers() as servers:
        environment = {"TEST_DATABASE_URL": servers[0] if servers else ""}
        run(sys.executable, "-m", "guests", *options, cwd=ROOT / "project/tests", environment=environment)


def bench(name: str = "", *options: str) -> None:
    """Run one benchmark, or all in order. Each documents its requirements and creates its own database.

    Raises:
        StepFailed: it failed, or there is no benchmark of that name.
    """
    benchmarks = sorted(path for path in (ROOT / "project/benchmarks").glob("*.py") if name in ("", path.stem))
    if not benchmarks:
        raise StepFailed(f"there is no benchmark {name!r}")
    for path in benchmarks:
        run(sys.executable, str(path.relative_to(ROOT)), *options)


def lock(*options: str) -> None:
    """Pin every version for each Django line, with hashes and without index addresses.

    Upgrades all versions. ``--no-upgrade`` keeps existing pins and only adds new packages.
    """
    uv = shutil.which("uv") or str(ROOT / ".boot" / "bin" / "uv")
    sources = [f"{member}/pyproject.toml" for member in MEMBERS]
    for line, python in DJANGO_LINES.items():
        extras = [
            "--extra",
            "testing",
            "--extra",
            "development",
            "--extra",
            "redis",
            "--extra",
            "celery",
            "--extra",
            "oauth",
            "--extra",
            "oauth-resource",
            "--extra",
            "federation",
        ]
        extras += ["--extra", "csp"] if line == "5.2" else []
        with tempfile.NamedTemporaryFile("w", suffix=".in", delete=False) as bound:
            bound.write(f"django~={line}.0\n")
        run(
            uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-annotate",
            "--no-header", "--no-emit-find-links", "--python-version", python, *extras, "--group", "pyproject.toml:dev",
            "--no-emit-package", "enterprise-auth-core", *(options or ["--upgrade"]), "--constraints", bound.name,
            "--output-file", f"constraints/django-{line}.txt", *sources,
        )  # fmt: skip
        Path(bound.name).unlink()
        _drop_members(ROOT / "constraints" / f"django-{line}.txt")
    run(
        uv, "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-annotate",
        "--no-header", "--no-emit-find-links", "--python-version", "3.11", "--no-deps", "--group",
        "pyproject.toml:mutants", *(options or ["--upgrade"]), "--output-file", "constraints/mutants.txt",
    )  # fmt: skip
    _lock_image(uv)
    _write_requirements()


def _lock_image(uv: str) -> None:
    """Pin what the image installs, at the versions of the newest line: the service, and what builds our packages."""
    newest = list(DJANGO_LINES)[-1]
    options = ["--quiet", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header",
               "--no-emit-find-links", "--python-version", IMAGE_PYTHON]  # fmt: skip
    service = ["--no-emit-package", "enterprise-auth-core", "--constraints", f"constraints/django-{newest}.txt"]
    run(uv, "pip", "compile", *options, *service, "--output-file", "constraints/image.txt", "project/pyproject.toml")
    with tempfile.NamedTemporaryFile("w", suffix=".in") as builder:
        # The last four compile argon2-cffi-bindings, which is the only package that is not installed from a wheel.
        builder.write("hatchling>=1.27\nscikit-build-core>=1.0\nsetuptools-scm>=8\ncmake>=3.20\nninja>=1.11\n")
        builder.flush()
        run(uv, "pip", "compile", *options, "--output-file", "constraints/image-build.txt", builder.name)
    for name in ("image", "image-build"):
        _drop_members(ROOT / "constraints" / f"{name}.txt", f"All versions of project/Dockerfile ({name}).")


def production_environment() -> dict[str, str]:
    """Return a production environment with random secrets, for checks."""
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    return {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "FIELD_KEYS": f"check:{key}",
        "PUBLIC_URL": "https://auth.example.org",
        "ALLOWED_HOSTS": "auth.example.org",
        "DATABASE_URL": LOCAL_POSTGRESQL,
        "REDIS_URL": "redis://127.0.0.1:6379/15",
    }


def _marked(marker: str, options: Sequence[str]) -> None:
    """Run all tests with *marker* on PostgreSQL and Redis."""
    with real_servers() as servers:
        if servers is None:
            raise StepFailed(f"{marker} needs PostgreSQL and Redis")
        database, redis = servers
        for folder in SUITES:
            if any(f"mark.{marker}" in path.read_text() for path in (ROOT / folder / "tests").rglob("*.py")):
                servers_named = {"TEST_DATABASE_URL": database, "TEST_REDIS_URL": redis}
                LEDGER.mkdir(parents=True, exist_ok=True)
                pytest(folder, "-m", marker, "-s", *options, **servers_named, ASVS_LEDGER=str(LEDGER))


def _manage(*arguments: str, settings: str, **environment: str) -> None:
    module = f"enterprise_auth.settings.{settings}"
    environment = {"DJANGO_SETTINGS_MODULE": module, **environment}
    run(sys.executable, "project/manage.py", *arguments, environment=environment, is_alone=False)


def _tox(*options: str, **more: str) -> None:
    """Run tox with pyenv's interpreters on PATH. A missing interpreter is a failure."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    interpreters = sorted(pyenv.glob("versions/3.1[1-4].*/bin"))
    path = os.pathsep.join([*map(str, interpreters), os.environ["PATH"]])
    with real_servers() as servers:
        database, redis = servers or ("", "")
        environment = {
            "PATH": path, "TEST_DATABASE_URL": database, "TEST_REDIS_URL": redis, "UV_PYTHON_DOWNLOADS": "never",
            **more,
        }  # fmt: skip
        run(
            sys.executable,
            "-m",
            "tox",
            "run",
            "--skip-missing-interpreters",
            "false",
            *options,
            environment=environment,
        )


def _drop_members(path: Path, title: str = "All versions for one Django line.") -> None:
    """Remove our own packages from *path*. They are installed from the repository and have no hash."""
    kept = re.sub(r"(?m)^(-e |enterprise-auth|\./|file:).*\n", "", path.read_text())
    path.write_text(f"# {title} Generated by ./dev lock.\n" + kept)


def _write_requirements() -> None:
    """Write requirements.txt for ``pip install -r``. pip refuses editable members together with hashes."""
    pinned = re.findall(
        r"(?m)^([A-Za-z0-9._-]+==[^\s\\;]+(?: ; [^\\\n]+)?)", (ROOT / "constraints/django-5.2.txt").read_text()
    )
    members = "".join(f"-e ./{member}\n" for member in MEMBERS)
    head = "# For pip install -r, on Python 3.11 and later (so Django 5.2). Generated by ./dev lock.\n"
    (ROOT / "requirements.txt").write_text(head + members + "".join(f"{line.strip()}\n" for line in pinned))


CHORES: dict[str, Callable[..., None]] = {
    "test": test, "check": check, "fix": fix, "planted": planted, "mutants": mutants, "proofs": proofs, "cell": cell, "races": races, "timing": timing, "faults": faults, "scale": scale, "shots": shots, "gate": gate, "guests": guests, "matrix": matrix, "bench": bench, "lock": lock
}  # fmt: skip


def main() -> int:
    """Run one chore and return its exit status."""
    began = time.monotonic()
    name, *options = sys.argv[1:]
    try:
        CHORES[name](*options)
    except StepFailed as problem:
        print(f"=== {name} FAILED after {time.monotonic() - began:.1f} s: {problem}", flush=True)
        return 1
    print(f"=== {name} passed, {time.monotonic() - began:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
