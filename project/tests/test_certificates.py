"""`manage.py make_certificate`, and the heartbeat of Celery processes."""

import stat
from pathlib import Path
from typing import Any

import pytest
import time_machine
from cryptography import x509
from django.core.management import call_command

from enterprise_auth.celery import app
from enterprise_auth.core.beat import BeatScheduler
from enterprise_auth.core.certificates import keep_certificate
from enterprise_auth.core.heartbeat import touch_heartbeat

URL = "https://auth.example.org"


def certificate_in(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "fullchain.pem").read_bytes())


def hosts_of(certificate: x509.Certificate) -> list[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


@pytest.mark.parametrize("host", ["auth.example.org", "localhost", "192.0.2.1"])
def test_the_certificate_is_for_the_host_of_the_service(host: str, tmp_path: Path) -> None:
    keep_certificate(tmp_path, public_url=f"https://{host}:8443")

    assert hosts_of(certificate_in(tmp_path)) == [host]
    assert stat.S_IMODE((tmp_path / "privkey.pem").stat().st_mode) == 0o600


def test_the_command_writes_for_public_url_and_says_so(tmp_path: Path, capsys: Any) -> None:
    call_command("make_certificate", str(tmp_path))

    assert hosts_of(certificate_in(tmp_path)) == ["auth.example.org"]
    assert "self-signed" in capsys.readouterr().out


def test_a_valid_certificate_is_kept_and_one_for_another_host_is_replaced(tmp_path: Path) -> None:
    keep_certificate(tmp_path, public_url=URL)
    first = certificate_in(tmp_path)

    assert "is kept" in keep_certificate(tmp_path, public_url=URL)
    assert certificate_in(tmp_path) == first
    keep_certificate(tmp_path, public_url="https://login.example.org")
    assert hosts_of(certificate_in(tmp_path)) == ["login.example.org"]


def test_an_expiring_certificate_is_renewed(tmp_path: Path) -> None:
    with time_machine.travel("2026-01-01T00:00:00+00:00", tick=False):
        keep_certificate(tmp_path, public_url=URL)
        first = certificate_in(tmp_path)
    with time_machine.travel("2027-01-15T00:00:00+00:00", tick=False):
        keep_certificate(tmp_path, public_url=URL)

    assert certificate_in(tmp_path).not_valid_after_utc > first.not_valid_after_utc


def test_a_certificate_of_the_operator_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as operator:
        operator.setattr("enterprise_auth.core.certificates._ISSUER", "An authority")
        keep_certificate(tmp_path, public_url="https://other.example.org")
    theirs = certificate_in(tmp_path)

    assert "is kept" in keep_certificate(tmp_path, public_url=URL)
    assert certificate_in(tmp_path) == theirs


def test_beat_touches_the_heartbeat_with_every_round(tmp_path: Path, settings: Any) -> None:
    settings.HEARTBEAT_PATH = str(tmp_path / "heartbeat")
    scheduler = BeatScheduler(app, lazy=True)

    scheduler.tick()

    assert (tmp_path / "heartbeat").exists()


def test_without_a_path_there_is_no_heartbeat(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings.HEARTBEAT_PATH = ""

    touch_heartbeat()

    assert list(tmp_path.iterdir()) == []
