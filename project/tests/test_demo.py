"""``./dev demo`` succeeds on a good server and detects a bad one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from auth_core.testing.redis import OwnRedis
from live.service import Service

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.live


def demo(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    folders = os.pathsep.join([str(ROOT / "project" / "tests"), os.environ.get("PYTHONPATH", "")])
    development = {"DJANGO_SETTINGS_MODULE": "enterprise_auth.settings.development"}
    variables = {**os.environ, "PYTHONPATH": folders, **development, **environment}
    command = [sys.executable, str(ROOT / "tools" / "demo.py"), *options]
    return subprocess.run(command, env=variables, check=False, text=True, capture_output=True, timeout=600)


@pytest.mark.sqlite
def test_the_demo_succeeds() -> None:
    done = demo()

    assert done.returncode == 0, done.stdout + done.stderr
    assert "The journey is complete." in done.stdout


@pytest.mark.sqlite
def test_a_server_without_a_second_factor_is_detected() -> None:
    done = demo(DJANGO_SETTINGS_MODULE="without_second_factor")

    assert done.returncode == 1
    assert "! POST login/ returned 200, not 202." in done.stderr


@pytest.mark.postgresql
@pytest.mark.django_db
def test_the_demo_succeeds_on_production_settings(tmp_path: Path, own_redis: OwnRedis) -> None:
    mails = tmp_path / "mails"
    mails.mkdir()
    with Service(tmp_path, own_redis.url, {"EMAIL_FILE_PATH": str(mails)}) as service:
        certificate = str(tmp_path / "certificate.pem")
        done = demo("--url", service.url, "--mail-folder", str(mails), "--certificate", certificate)

    assert done.returncode == 0, done.stdout + done.stderr
