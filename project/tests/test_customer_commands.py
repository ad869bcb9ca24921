"""The documented commands in a copy of the repository, run from its root and from project/."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import requests

from auth_core.testing.redis import OwnRedis
from live.service import free_port

pytestmark = [pytest.mark.live, pytest.mark.sqlite]

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

#: More than the threads of a worker.
SLOW_BODIES = 10


class Copy:
    """A copy of the repository with its own ``.env`` and its own packages."""

    def __init__(self, folder: Path) -> None:
        tracked = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        for name in filter(None, tracked.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        shutil.copy2(folder / ".env.example", folder / ".env")
        self.root = folder
        sources = [folder / "project", *sorted(folder.glob("packages/*/src"))]
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "TEST_", "AUTH_"))
        }
        self._environment = {
            **inherited,
            "PYTHONPATH": os.pathsep.join(map(str, sources)),
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        }

    def run(self, *command: str, place: str = ".", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command until it ends."""
        variables = {**self._environment, **environment}
        return subprocess.run(
            command,
            cwd=self.root / place,
            env=variables,
            check=False,
            text=True,
            capture_output=True,
            timeout=600,
        )

    @contextmanager
    def running(self, *command: str, place: str = ".", **environment: str) -> Iterator[Path]:
        """Run a command in the background, and yield the file with its output."""
        output = self.root / f"{Path(command[-1]).name or 'command'}-{time.monotonic_ns()}.output"
        with output.open("w") as out:
            variables = {**self._environment, "PYTHONUNBUFFERED": "1", **environment}
            process = subprocess.Popen(
                command, cwd=self.root / place, env=variables, stdout=out, stderr=subprocess.STDOUT
            )
            try:
                yield output
            finally:
                process.terminate()
                process.wait(timeout=120)


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path / "copy")


def wait_for(output: Path, words: str, seconds: float = 300, *, after: str = "") -> None:
    deadline = time.monotonic() + seconds
    while words not in (printed := output.read_text())[max(0, printed.find(after)) :]:
        assert "Traceback" not in printed, printed
        assert time.monotonic() < deadline, printed
        time.sleep(0.1)


def answers(port: int, output: Path) -> bool:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            return requests.get(f"http://127.0.0.1:{port}/health/", timeout=2).status_code == 200
        except requests.RequestException:
            time.sleep(0.1)
    raise AssertionError(output.read_text())


@pytest.mark.parametrize("place", [".", "project"])
def test_the_commands_of_manage_py(place: str, copy: Copy) -> None:
    for command in (["migrate", "--verbosity", "0"], ["check_setup"], ["collectstatic", "--no-input"]):
        done = copy.run("python", "manage.py", *command, place=place)
        assert done.returncode == 0, done.stdout + done.stderr

    port = free_port()
    with copy.running("python", "manage.py", "runserver", "--noreload", str(port), place=place) as output:
        assert answers(port, output)


def test_manage_py_test_runs_pytest_and_fails_without_a_test(copy: Copy) -> None:
    settings = {"DJANGO_SETTINGS_MODULE": "enterprise_auth.settings.testing"}
    some = copy.run("python", "manage.py", "test", "project/tests/test_celery.py", **settings)
    none = copy.run("python", "manage.py", "test", "project/tests/live", **settings)

    assert some.returncode == 0, some.stdout + some.stderr
    assert " passed" in some.stdout
    assert none.returncode != 0
    assert "No tests were found" in none.stderr


@pytest.mark.parametrize("application", ["enterprise_auth.asgi:application", "enterprise_auth.wsgi:application"])
@pytest.mark.parametrize("place", [".", "project"])
def test_gunicorn_serves_while_slow_bodies_are_open(place: str, application: str, copy: Copy) -> None:
    port = free_port()
    bind = ["--bind", f"127.0.0.1:{port}", "--workers", "1"]

    with copy.running("gunicorn", *bind, application, place=place) as output:
        assert answers(port, output)
        with ExitStack() as stack:
            for _number in range(SLOW_BODIES):
                slow = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
                slow.sendall(b"POST /api/v1/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
            health = [requests.get(f"http://127.0.0.1:{port}/health/", timeout=5).status_code for _number in range(5)]

    assert health == [200] * 5


@pytest.mark.parametrize("place", [".", "project"])
def test_the_web_server_serves(place: str, copy: Copy) -> None:
    port = free_port()
    options = ["--host", "127.0.0.1", "--port", str(port)]

    with copy.running("python", "-m", "enterprise_auth.web_server", *options, place=place, WEB_WORKERS="1") as output:
        assert answers(port, output)


def test_a_mail_goes_through_the_worker(copy: Copy, own_redis: OwnRedis) -> None:
    mails = copy.root / "mails"
    mails.mkdir()
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    variables = {"BROKER_URL": own_redis.url, "PUBLIC_URL": url}
    variables |= {"EMAIL_FILE_PATH": str(mails)}
    assert copy.run("python", "manage.py", "migrate", "--verbosity", "0").returncode == 0

    celery = ["celery", "-A", "enterprise_auth"]
    with (
        copy.running(*celery, "worker", "-l", "info", **variables) as worker,
        copy.running(*celery, "beat", "-l", "info", **variables) as beat,
        copy.running("python", "manage.py", "runserver", "--noreload", str(port), **variables) as server,
    ):
        wait_for(worker, "ready.")
        wait_for(beat, "beat: Starting")
        assert answers(port, server)
        done = copy.run("python", "tools/demo.py", "--url", url, "--mail-folder", str(mails))

        assert done.returncode == 0, done.stdout + done.stderr + worker.read_text() + server.read_text()
        assert "auth_core.deliver_message" in worker.read_text()
    assert not list(copy.root.rglob("celerybeat-schedule*"))


def test_celery_starts_on_production_settings_in_a_new_checkout(copy: Copy, own_redis: OwnRedis) -> None:
    (copy.root / ".env").unlink()
    assert copy.run("python", "tools/env_file.py").returncode == 0
    heartbeats = {name: copy.root / f"{name}.heartbeat" for name in ("worker", "beat")}
    variables = {
        "DJANGO_SETTINGS_MODULE": "enterprise_auth.settings.production",
        "BROKER_URL": f"redis+socket://{own_redis.url.removeprefix('unix://')}",
        "PUBLIC_URL": "https://auth.example.org",
        "ALLOWED_HOSTS": "auth.example.org",
        "DB_NAME": "auth",
        "DB_HOST": str(copy.root),
    }
    celery = ["celery", "-A", "enterprise_auth"]

    with (
        copy.running(*celery, "worker", "-l", "info", HEARTBEAT_PATH=str(heartbeats["worker"]), **variables) as worker,
        copy.running(*celery, "beat", "-l", "info", HEARTBEAT_PATH=str(heartbeats["beat"]), **variables) as beat,
    ):
        wait_for(worker, "ready.")
        wait_for(beat, "beat: Starting")
        wait_for(beat, "Sending due task")

    assert [name for name, path in heartbeats.items() if not path.exists()] == []
    assert not list(copy.root.rglob("celerybeat-schedule*"))


def test_development_still_reads_its_columns_after_the_secrets_of_production_were_written(copy: Copy) -> None:
    (copy.root / ".env").unlink()
    field_keys = "from django.conf import settings; print(list(settings.AUTH_CORE['FIELD_KEYS']))"
    before = copy.run("python", "manage.py", "shell", "-v", "0", "-c", field_keys).stdout.splitlines()[-1]

    assert copy.run("python", "tools/env_file.py").returncode == 0
    after = copy.run("python", "manage.py", "shell", "-v", "0", "-c", field_keys).stdout.splitlines()[-1]

    assert before == "['development']"
    assert after.endswith(", 'development']")
