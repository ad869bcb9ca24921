"""What the service writes, and its start without static files."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.exceptions import ImproperlyConfigured
from django.test import Client as Browser

from auth_core.pages import errors as error_pages
from enterprise_auth import checks
from enterprise_auth.core import setup_report, static_files
from test_operators_mistakes import GOOD

ROOT = Path(__file__).resolve().parents[2]

#: Serves requests, and prints which files were opened for writing.
WATCHED = """
import os, sys
written = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        written.append(os.fsdecode(arguments[0]))
    if event in ("os.mkdir", "os.rename", "os.link", "os.symlink"):
        written.append(str(arguments[0]))
sys.addaudithook(watch)
import json
from django.core.wsgi import get_wsgi_application
get_wsgi_application()
from django.core.management import call_command
from django.test import Client
caller = Client(raise_request_exception=False)
host = {"host": "auth.example.org"}
codes = [caller.get(path, secure=True, headers=host).status_code for path in ("/health/", "/login/", "/api/v1/csrf/", "/nowhere/")]
codes.append(caller.post("/api/v1/login/", {"identifier": "a", "password": "b" * 20}, "application/json", secure=True, headers=host).status_code)
print(json.dumps([written, codes]))
"""


def test_a_running_service_writes_no_file(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "enterprise_auth.settings.production", "EMAIL_FILE_PATH": "", **GOOD,
    }  # fmt: skip

    done = subprocess.run(
        [sys.executable, "-c", WATCHED], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    written, codes = json.loads(done.stdout.splitlines()[-1])
    assert [path for path in written if path != os.devnull] == []
    assert codes[0] == 200


def folders(monkeypatch: pytest.MonkeyPatch, **paths: str) -> setup_report.Finding:
    monkeypatch.setattr(type(setup_report.site), "written_folders", paths)
    return setup_report.PROBES["files"]()


def test_the_report_says_what_must_be_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = folders(monkeypatch, VAR_PATH=str(tmp_path), EMAIL_FILE_PATH=str(tmp_path / "missing"))

    assert finding.status == "error"
    assert finding.message == f"not writable: {tmp_path / 'missing'} (EMAIL_FILE_PATH)"
    assert list(tmp_path.iterdir()) == []


def test_the_report_lists_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert folders(monkeypatch, VAR_PATH=str(tmp_path)).message == f"only written: {tmp_path}"
    assert folders(monkeypatch).message == "the file system may be read-only"


@pytest.mark.parametrize("broker", ["redis://cache", ""])
def test_the_service_needs_no_writable_folder(broker: str, settings: Any) -> None:
    settings.CELERY_BROKER_URL = broker

    assert set(setup_report.site.written_folders) <= {"DATABASE_URL"}  # of SQLite


class Uncollected(ManifestStaticFilesStorage):
    """The storage of production before ``collectstatic``."""

    def read_manifest(self) -> None:
        """Find no manifest."""
        return


@pytest.fixture
def not_collected(settings: Any) -> None:
    backend = f"{__name__}.Uncollected"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": backend}}


def test_the_service_does_not_start_without_static_files(not_collected: None) -> None:
    assert "auth_core/auth.css" in static_files.uncollected()
    with pytest.raises(static_files.NotCollected, match=r"Run manage\.py collectstatic"):
        static_files.check_collected()
    finding = setup_report.PROBES["static"]()
    assert (finding.status, finding.remedy) == ("error", "Run manage.py collectstatic.")


def test_files_of_an_upgrade_that_were_not_collected_are_found(
    not_collected: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected = {name: name for name in static_files.uncollected() if name != "auth_core/auth.css"}
    monkeypatch.setattr(static_files.staticfiles_storage, "hashed_files", collected)

    assert static_files.uncollected() == ["auth_core/auth.css"]


def test_development_needs_no_collected_files() -> None:
    assert static_files.uncollected() == []


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "status"), [("/nowhere/", 404), ("/login/", 500)])
def test_error_pages_need_no_static_files(not_collected: None, path: str, status: int) -> None:
    caller = Browser(raise_request_exception=False)

    page = caller.get(path, headers={"accept": "text/html"})

    assert page.status_code == status
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.headers["X-Request-ID"] in page.text
    assert "<h1>" in page.text


def test_error_pages_need_no_database_and_no_template(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any) -> Any:
        raise ImproperlyConfigured("a secret")

    monkeypatch.setattr(error_pages, "tell", broken)

    page = Browser(raise_request_exception=False).get("/nowhere/", headers={"accept": "text/html"})

    assert (page.status_code, "Request ID" in page.text, "secret" in page.text) == (404, True, False)
    assert page.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("seconds", "ids"), [(31_536_000, []), (300, ["enterprise_auth.W001"])])
def test_the_deployment_check_warns_of_a_short_time(seconds: int, ids: list[str], settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = seconds

    assert [warning.id for warning in checks.check_hsts()] == ids


@pytest.mark.parametrize(("seconds", "status"), [(31_536_000, "ok"), (300, "warning"), (0, "warning")])
def test_the_report_warns_if_browsers_use_https_only_for_a_short_time(seconds: int, status: str, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = seconds

    finding = setup_report.PROBES["https"]()

    assert finding.status == status
    assert ("HSTS_SECONDS" in finding.remedy) == (status == "warning")
