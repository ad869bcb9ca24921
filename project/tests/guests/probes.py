"""What must still work in a site after the packages were added. Each probe is a function, named in the table.

A probe fails by raising `AssertionError`. The tests in ``in_site`` are probes too: they run inside the site.
"""

import ast
import re
import sqlite3
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from guests.packages import ROOT
from guests.sites import ALONE, KEPT, Site

PASSWORD = "correct horse battery staple"

#: Which tests of people concern sessions.
_SIGNING_IN = ("visits.tests.test_people", "-k", "login", "-k", "session", "-k", "async", "-k", "transaction")

#: Uses a test database that exists. Most runs of the tests do, because the migrations take most of their time.
_KEPT = ("--keepdb",)

#: The file of that database (SQLite).
_IN_FILE = {"GUEST_TEST_FILE": KEPT}

#: Follows a README in a new site: its settings, its URLs and its first commands.
_FOLLOW = """
import sys
from pathlib import Path
from auth_core.testing.readme import FreshSite, blocks

readme, folder = map(Path, sys.argv[1:])
site = FreshSite(folder)
for models in blocks(readme, "python models"):
    site.django("startapp", "shop")
    (folder / "shop/models.py").write_text(models)
site.follow(readme)
if (folder / "shop").exists():
    site.manage("makemigrations", "shop")
site.sh(blocks(readme, "sh")[0])
"""

#: Prints the tables of a site.
_TABLES = "from django.db import connection\nprint(*connection.introspection.table_names())"


@dataclass(frozen=True)
class Result:
    """What one probe found.

    Args:
        name: The probe.
        problem: Why it is red, or an empty text.
    """

    name: str
    problem: str = ""


Probe = Callable[[Site], None]
PROBES: dict[str, Probe] = {}


def probe(function: Probe) -> Probe:
    """Register a probe under its name. They run in the order of this file."""
    PROBES[function.__name__] = function
    return function


def run_probes(site: Site, only: str = "") -> Iterator[Result]:
    """Run the tests inside the site, and then every probe, or those whose names contain *only*."""
    yield from (one for one in _tests_of(site) if only in one.name)
    for name, function in PROBES.items():
        if only in name:
            yield _result_of(name, function, site)


def chosen_results(site: Site, names: Collection[str]) -> Iterator[Result]:
    """Run only the tests and probes of these names. A test that was not run has no result."""
    tests = [name for name in names if name not in PROBES]
    if tests:
        chosen = [option for name in tests for option in ("-k", name)]
        outcomes = outcomes_of(site, *_KEPT, "visits", *chosen, **_IN_FILE)
        yield from (Result(name, outcomes[name]) for name in tests if name in outcomes)
    for name in names:
        if name in PROBES:
            yield _result_of(name, PROBES[name], site)


def _result_of(name: str, function: Probe, site: Site) -> Result:
    try:
        function(site)
    except AssertionError as problem:
        return Result(name, str(problem) or "failed")
    return Result(name)


# --- The tests inside the site -----------------------------------------------------


def _tests_of(site: Site) -> Iterator[Result]:
    """Run ``manage.py test``, as the site does for its own tests, and yield the result of each test."""
    expected = [name for path in sorted((site.folder / "visits/tests").glob("test_*.py")) for name in names_in(path)]
    results = outcomes_of(site, *_KEPT, **_IN_FILE) if site.kind.has_many_migrations else outcomes_of(site)
    for name in expected:
        yield Result(name, results.get(name, f"not run: {results['']}"))


def outcomes_of(site: Site, *options: str, **environment: str) -> dict[str, str]:
    """Run ``manage.py test``. Return the problem of each test, and under the empty name the end of the output."""
    done = site.fork("manage.py", "test", "-v", "2", "--no-input", *options, **environment)
    output = f"{done.stdout}{done.stderr}"
    return {**outcomes_in(output), "": "" if done.returncode == 0 else _last_lines(output)}


def outcomes_in(output: str) -> dict[str, str]:
    """Return the problem of each test in the output of ``manage.py test -v 2``. For a test that passed it is empty.

    A run that ended early, and a skipped test, have no outcome.
    """
    if not re.search(r"^Ran \d+ test", output, re.MULTILINE):
        return {}
    # What is logged during a test stands between its name and its result.
    begun = re.findall(r"^(test_\w+) \(", output, re.MULTILINE)
    skipped = re.findall(r"^(test_\w+) \(.*\.\.\. skipped", output, re.MULTILINE)
    failed = {}
    for part in re.split(r"^={70}$", output, flags=re.MULTILINE)[1:]:
        title = re.match(r"\s*(?:ERROR|FAIL): (\w+)", part)
        failed[title[1] if title else "?"] = _last_lines(
            re.split(r"^Ran \d+ test", part, flags=re.MULTILINE)[0].rstrip("-\n")
        )
    return {**{name: "" for name in begun if name not in skipped}, **failed}


def names_in(path: Path) -> Iterator[str]:
    """Yield the names of the tests in a file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            yield node.name


def _last_lines(text: str, count: int = 6) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return "\n".join(lines[-count:])


def _all_pass(site: Site, *options: str, **environment: str) -> None:
    problems = {name: problem for name, problem in outcomes_of(site, *options, **environment).items() if problem}
    if problems:
        raise AssertionError("; ".join(f"{name}: {problem}" for name, problem in problems.items()))


# --- Probes ------------------------------------------------------------------------


@probe
def check(site: Site) -> None:
    """``check`` reports nothing of ours, except that a site without Redis reads its sessions from the database."""
    _no_message(site, site.fork("manage.py", "check", "--database", "default"), {"auth_sessions.W001"})


@probe
def check_deploy(site: Site) -> None:
    """``check --deploy`` reports nothing of ours that the README does not."""
    done = site.fork("manage.py", "check", "--deploy", GUEST_DEPLOYED="1")
    _no_message(site, done, {"auth_sessions.W001", "auth_core.W002"})


def _no_message(site: Site, done: "object", expected: set[str]) -> None:
    output = f"{done.stdout}{done.stderr}"
    found = [
        line
        for line in output.splitlines()
        if (one := re.search(r"\((auth_\w+\.[EW]\d+)\)", line)) and one[1] not in expected
    ]
    if found or (done.returncode and "Traceback" in output):
        raise AssertionError("\n".join(found) or output)


@probe
def makemigrations_check(site: Site) -> None:
    """No app has changes without a migration."""
    site.manage("makemigrations", "--check", "--dry-run")


@probe
def auto_field(site: Site) -> None:
    """The same with the former kind of automatic keys, as far as our apps are concerned."""
    former = "django.db.models.AutoField"
    site.manage("makemigrations", "--check", "--dry-run", *site.addition.labels, GUEST_AUTO_FIELD=former)


@probe
def collectstatic(site: Site) -> None:
    """Static files are collected without two of one name."""
    output = site.manage("collectstatic", "--no-input", "--verbosity", "1").stdout
    if "another file" in output.lower():
        raise AssertionError(output)


@probe
def createsuperuser_and_changepassword(site: Site) -> None:
    """The commands of Django, on the site's own database. The person can log in afterwards."""
    field = site.script(
        "from django.contrib.auth import get_user_model\nprint(get_user_model().USERNAME_FIELD)"
    ).strip()
    value = {"email": "root@example.org", "phone": "+41790000001"}.get(field, "root")
    options = [f"--{field}", value, *(["--email", "root@example.org"] if field == "username" else [])]
    site.manage("createsuperuser", "--no-input", *options, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    change = (
        "import getpass\nfrom django.core.management import call_command\n"
        f"getpass.getpass = lambda *_args, **_named: 'another horse battery'\ncall_command('changepassword', {value!r})\n"
        "from django.test import Client\n"
        f"assert Client(HTTP_HOST='localhost').login(username={value!r}, password='another horse battery')\n"
    )
    site.script(change)


@probe
def tests_with_keepdb(site: Site) -> None:
    """``manage.py test --keepdb`` passes twice, on a database in a file. The probes below use the same database."""
    for _ in range(2):
        _all_pass(site, *_KEPT, "visits.tests.test_database", **_IN_FILE)


@probe
def tests_in_parallel(site: Site) -> None:
    """``manage.py test --parallel 2`` passes."""
    done = site.fork(
        "manage.py", "test", "--no-input", *_KEPT, "--parallel", "2", "visits.tests.test_database", *_SIGNING_IN,
        **_IN_FILE,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(_last_lines(f"{done.stdout}{done.stderr}", 12))


@probe
def tests_by_pytest(site: Site) -> None:
    """The same tests pass under pytest-django, without a plugin of ours, and with warnings as errors."""
    for options in (("--reuse-db",), ("--nomigrations", "--create-db")):
        done = site.attempt(
            str(site.python), "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "visits/tests/test_database.py",
            *options, DJANGO_SETTINGS_MODULE="mysite.settings", **(_IN_FILE if "--reuse-db" in options else {}),
        )  # fmt: skip
        if done.returncode:
            raise AssertionError(_last_lines(f"{done.stdout}{done.stderr}", 12))


@probe
def two_databases(site: Site) -> None:
    """A router keeps another app in a database of its own."""
    two = {"GUEST_TWO_DATABASES": "1", **_IN_FILE}
    site.manage("check", "--database", "default", "--database", "archive", **two)
    login = "visits.tests.test_people.People.test_login_view"
    _all_pass(site, *_KEPT, "visits.tests.test_database", login, **two)
    with closing(sqlite3.connect(site.folder / "kept_archive.sqlite3")) as archive:
        tables = [name for (name,) in archive.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    ours = [name for name in tables if name.startswith(site.addition.labels)]
    if ours or "archive_shelf" not in tables:
        raise AssertionError(f"tables in the other database: {ours or tables}")


@probe
def session_engine_cached_db(site: Site) -> None:
    """Django's session engine with a cache works."""
    _all_pass(site, *_KEPT, *_SIGNING_IN, GUEST_SESSION_ENGINE="django.contrib.sessions.backends.cached_db", **_IN_FILE)


@probe
def session_engine_signed_cookies(site: Site) -> None:
    """Django's session engine without a table works."""
    engine = "django.contrib.sessions.backends.signed_cookies"
    _all_pass(site, *_KEPT, *_SIGNING_IN, GUEST_SESSION_ENGINE=engine, **_IN_FILE)


@probe
def default_logging(site: Site) -> None:
    """With Django's default ``LOGGING`` each line on stderr says what happened."""
    visit = (
        "from django.contrib.auth import get_user_model\nfrom django.test import Client\n"
        "model = get_user_model()\nbrowser = Client(HTTP_HOST='localhost')\n"
        "browser.post('/login/', {'username': 'nobody-here', 'password': 'wrong'})\n"
        "browser.post('/api/v1/login/', {'identifier': 'nobody-here', 'password': 'wrong'}, 'application/json')\n"
        "browser.get('/api/v1/me/')\n"
    )
    done = site.fork("-c", visit)
    if done.returncode:
        raise AssertionError(done.stderr)
    bare = [line for line in done.stderr.splitlines() if len(line.split()) < 2]
    if bare:
        raise AssertionError(f"lines without content: {bare}")
    if "nobody-here" in done.stderr or "wrong" in done.stderr:
        raise AssertionError(f"what was typed is in the log: {done.stderr}")


@probe
def sessions_from_before(site: Site) -> None:
    """A browser that signed in before the packages were added stays signed in, unless the session engine changed."""
    begin = (
        "from django.contrib.auth import get_user_model\nfrom django.test import Client\n"
        "import sys\nsys.path.insert(0, '.')\n"
        "from visits.tests.helpers import make_person\n"
        "browser = Client(HTTP_HOST='localhost')\nbrowser.force_login(make_person('early'))\n"
        "print(browser.cookies['sessionid'].value)\n"
    )
    key = site.script(begin, GUEST_WITHOUT="1").strip()
    use = (
        "from django.test import Client\nbrowser = Client(HTTP_HOST='localhost')\n"
        f"browser.cookies['sessionid'] = {key!r}\nprint(browser.get('/me/').status_code)\n"
    )
    # The README of auth_sessions says so, and why.
    expected = "302" if "sessions" in site.addition.folders else "200"
    status = site.script(use).strip()
    if status != expected:
        raise AssertionError(f"/me/ answers {status}")


@probe
def readme_blocks(site: Site) -> None:
    """The blocks of the README work in a new site of this environment, which has only what the package declares."""
    if site.kind.name != "stock" or site.addition.name == "all":
        return
    readme = ROOT / "packages" / site.addition.folders[-1] / "README.md"
    with tempfile.TemporaryDirectory() as folder:
        site.run(str(site.python), "-c", _FOLLOW, str(readme), folder)


@probe
def uninstall(site: Site) -> None:
    """Each app can be migrated to zero. Without the packages the site works, and no table of theirs is left."""
    for label in site.addition.labels:
        site.manage("migrate", label, "zero", "--verbosity", "0")
    left = [name for name in site.script(_TABLES).split() if name.startswith(site.addition.labels)]
    if left:
        raise AssertionError(f"tables are left: {left}")
    site.manage("check", GUEST_WITHOUT="1")
    site.manage("migrate", "--verbosity", "0", GUEST_WITHOUT="1")
    kept = _KEPT if site.kind.database == "sqlite" else ()
    _all_pass(site, *kept, "visits.tests.test_database", *_SIGNING_IN, GUEST_WITHOUT="1", GUEST_TEST_FILE=ALONE)
    site.script(
        "from visits.tests.helpers import make_person\nfrom django.test import Client\n"
        "browser = Client(HTTP_HOST='localhost')\nperson = make_person('late')\nbrowser.force_login(person)\n"
        "assert browser.get('/me/').status_code == 200\nperson.delete()\n",
        GUEST_WITHOUT="1",
    )
    site.manage("migrate", "--verbosity", "0")  # and added again
