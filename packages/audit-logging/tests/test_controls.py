"""A trail that is not sealed, or of which nobody outside is told, says so in itself, once."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auth_audit.deliver import delivery
from auth_audit.seal import sealer
from auth_audit.testing.trail import recorded, seal_everything
from auth_core.events import AuthEvent, Event, record
from auth_core.runtime import degradation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits to see whether what works again stays so."""
    monkeypatch.setattr(degradation, "_CALM", timedelta(0))


def said() -> list[tuple[str, str, str, str]]:
    degradation.record_changes()
    return [
        (entry.name, entry.data["control"], entry.data["part"], entry.reason)
        for entry in recorded()
        if entry.name.startswith("auth.control.")
    ]


@pytest.mark.asvs("16.3.4")
def test_a_sink_that_is_away_is_said_once_and_once_that_it_was_told(tmp_path: Path, settings: Any) -> None:
    folder = tmp_path / "away"
    sinks = [{"kind": "file", "path": str(tmp_path / "there")}, {"kind": "file", "path": str(folder / "a")}]
    settings.AUTH_AUDIT = {"SINKS": sinks}
    record(Event(name=AuthEvent.EMAIL_VERIFIED))
    seal_everything()

    for _time in range(3):
        delivery.deliver()
    folder.mkdir()
    for _time in range(3):
        delivery.deliver()

    name = f"file:{folder}/a"
    assert said() == [
        ("auth.control.degraded", "sinks", name, "FileNotFoundError"),
        ("auth.control.restored", "sinks", name, ""),
    ]


@pytest.mark.asvs("16.3.4")
def test_a_trail_that_is_not_sealed_says_so_in_itself(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(alias: str = "", **options: Any) -> int:
        raise sealer.SealsBroken

    with monkeypatch.context() as patch:
        patch.setattr(sealer, "seal", broken)
        assert [sealer.sweep() for _time in range(3)] == [0, 0, 0]
    sealer.sweep()
    sealer.sweep()

    assert said() == [
        ("auth.control.degraded", "sealing", "", "SealsBroken"),
        ("auth.control.restored", "sealing", "", ""),
    ]


def test_what_a_control_says_is_of_no_person(settings: Any) -> None:
    degradation.report_degraded(degradation.Control.LIMITER, reason="ConnectionError")
    degradation.record_changes()

    (entry,) = recorded("auth.control.degraded")
    assert (entry.subject_id, entry.actor_id, entry.session_id, entry.ip) == (None, None, None, None)
    assert (entry.severity, entry.outcome) == ("warning", "failure")
    assert entry.correlation_id
