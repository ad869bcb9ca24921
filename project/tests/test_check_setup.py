"""The findings of `manage.py check_setup`."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from enterprise_auth.core import setup_report

PROJECT = Path(__file__).parents[1]


def run(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "check_setup", *options]
    folders = os.pathsep.join([str(PROJECT / "tests"), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        command, cwd=PROJECT, env={**os.environ, "PYTHONPATH": folders, **environment}, check=False, text=True,
        capture_output=True, timeout=600,
    )  # fmt: skip


def findings_of(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    return {row["part"]: row for row in json.loads(done.stdout)}


@pytest.mark.live
def test_ten_faults_are_found_in_one_run() -> None:
    done = run("--json", DJANGO_SETTINGS_MODULE="faulty_site")

    findings = findings_of(done)
    wrong = {part for part, row in findings.items() if row["status"] == "error"}
    assert done.returncode == 1
    assert wrong == {
        "database", "migrations", "clock", "cache", "broker", "mail", "keys", "hosts", "proxies", "cookies", "lifetimes",
    }  # fmt: skip
    assert all(findings[part]["remedy"] for part in wrong)
    assert "pw-of" not in done.stdout + done.stderr
    assert "short-and-weak" not in done.stdout + done.stderr


@pytest.mark.live
def test_settings_that_do_not_start_are_reported() -> None:
    done = run("--json", DJANGO_SETTINGS_MODULE="enterprise_auth.settings.production", SECRET_KEY="weak")

    messages = " ".join(row["message"] for row in json.loads(done.stdout))
    assert done.returncode == 1
    assert all(name in messages for name in ("SECRET_KEY", "FIELD_KEYS", "PUBLIC_URL", "ALLOWED_HOSTS", "DATABASE_URL"))
    assert "Traceback" not in done.stderr


@pytest.mark.django_db
def test_good_settings_print_a_table_and_exit_with_0(settings: Any) -> None:
    settings.ALLOWED_HOSTS = [".example.org"]
    settings.SECRET_KEY = "".join(map(chr, range(33, 110)))
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    out = StringIO()

    call_command("check_setup", stdout=out)

    lines = out.getvalue().splitlines()
    assert [line.split()[1] for line in lines if not line.lstrip().startswith("->")] == list(setup_report.PROBES)
    assert "error" not in out.getvalue()


@pytest.mark.django_db
def test_an_unapplied_migration_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'auth_mfa'")
    forgotten = sum(app == "auth_mfa" for app, _name in MigrationLoader(connection).disk_migrations)

    finding = next(row for row in setup_report.report() if row.part == "migrations")

    assert (finding.status, finding.message) == ("error", f"{forgotten} not applied")
    assert "migrate" in finding.remedy


@pytest.mark.asvs("6.5.8")
@pytest.mark.postgresql
@pytest.mark.django_db
@pytest.mark.parametrize(("ahead", "status"), [(0, "ok"), (5, "warning"), (60, "error"), (-60, "error")])
def test_a_wrong_clock_is_reported(ahead: int, status: str) -> None:
    with time_machine.travel(timezone.now() + timedelta(seconds=ahead), tick=True):
        finding = next(row for row in setup_report.report() if row.part == "clock")

    assert finding.status == status


@pytest.mark.django_db
def test_a_failing_probe_is_a_finding_and_does_not_stop_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise ZeroDivisionError("with a secret in it")

    monkeypatch.setitem(setup_report.PROBES, "cache", broken)
    findings = {row.part: row for row in setup_report.report()}

    assert findings["cache"].status == "error"
    assert "secret" not in findings["cache"].message
    assert len(findings) == len(setup_report.PROBES)


WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: cp310-abi3-{tag}\n"


@pytest.mark.parametrize(
    ("tag", "flags", "status"),
    [
        ("manylinux_2_28_x86_64", "sse2 avx2 aes", "warning"),
        ("musllinux_1_2_x86_64", "sse2 avx2 aes", "warning"),
        ("linux_x86_64", "sse2 avx2 aes", "ok"),
        ("manylinux_2_28_x86_64", "sse2 aes", "ok"),
        ("manylinux_2_28_aarch64", "fp asimd", "ok"),
        ("macosx_11_0_arm64", None, "ok"),
    ],
)
def test_a_slow_argon2_is_reported(
    tag: str, flags: str | None, status: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    processor = tmp_path / "cpuinfo"
    if flags is not None:
        processor.write_text(f"flags\t\t: fpu {flags} end\n")
    monkeypatch.setattr(setup_report, "_PROCESSOR", processor)
    monkeypatch.setattr(
        setup_report, "distribution", lambda name: SimpleNamespace(read_text=lambda file: WHEEL.format(tag=tag))
    )

    found = setup_report.PROBES["hashes"]()

    assert found.status == status
    assert ("-O3 -mavx2" in found.remedy) == (status == "warning")
