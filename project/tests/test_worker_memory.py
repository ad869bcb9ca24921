"""What a worker of the service imports, and what its allocator keeps."""

import os
import subprocess
import sys

import pytest

from enterprise_auth.web_server import allocator
from test_production import GOOD, ROOT

#: Start a worker as the web server does, and answer two requests, which loads the URLs. Then print every module.
_START = """
import io, sys
from enterprise_auth.core import static_files
static_files.check_collected = lambda: None
import enterprise_auth.asgi
from enterprise_auth.wsgi import application
for path in ("/health/", "/api/v1/me/"):
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "443",
        "HTTP_HOST": "auth.example.org", "wsgi.url_scheme": "https", "wsgi.input": io.BytesIO(), "wsgi.errors": sys.stderr,
    }
    statuses = []
    list(application(environ, lambda status, headers, error=None: statuses.append(status)))
    assert statuses in (["200 OK"], ["401 Unauthorized"]), statuses
print("\\n".join(sys.modules))
"""

#: Modules that no request of a service without a broker needs, and the first request that needs one loads it.
NOT_NEEDED = frozenset({
    "IPython", "celery", "debug_toolbar", "django.test", "drf_spectacular.generators", "drf_spectacular.openapi",
    "drf_spectacular.plumbing", "drf_spectacular.views", "jinja2", "kombu", "libcst", "mypy", "phonenumbers.data.region_CH",
    "phonenumbers.geodata", "playwright", "pytest", "rest_framework.test", "zxcvbn",
})  # fmt: skip


def modules_of_a_worker(before: str = "", **environment: str) -> set[str]:
    """Return the modules of a worker after its first requests. *before* is a statement that it executes first."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", f"{before}\n{_START}"],
        cwd=ROOT / "project",
        env={**kept, "DJANGO_SETTINGS_MODULE": "enterprise_auth.settings.production", **GOOD, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines())


def test_a_worker_imports_nothing_that_it_does_not_need() -> None:
    assert modules_of_a_worker() & NOT_NEEDED == set()


def test_a_module_that_is_not_needed_is_found() -> None:
    assert "django.test" in modules_of_a_worker("import django.test") & NOT_NEEDED


def test_with_a_broker_a_worker_can_send_tasks() -> None:
    assert {"celery", "enterprise_auth.celery"} <= modules_of_a_worker(BROKER_URL="redis://127.0.0.1:1/0")


#: Hash in four threads, and print by how many MiB the process has grown.
_HASH = """
import sys, threading
from argon2.low_level import Type, hash_secret
from enterprise_auth.web_server.allocator import use_one_arena
if sys.argv[1] == "one arena":
    assert use_one_arena()
def size():
    with open("/proc/self/statm") as sizes:
        return int(sizes.read().split()[1]) * 4096 // 2**20
def work():
    for _time in range(8):
        hash_secret(b"password", b"salt" * 4, 2, 19 * 1024, 1, 32, Type.ID)
before = size()
threads = [threading.Thread(target=work) for _thread in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(size() - before)
"""


def growth(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _HASH, how], cwd=ROOT / "project", capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_threads_keep_no_memory_of_their_hashes() -> None:
    assert growth("one arena") <= 45
    assert growth("an arena for each thread") >= 60, "the planted defect must be seen"


def test_a_library_without_the_option_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda _name: object())

    assert not allocator.use_one_arena()
