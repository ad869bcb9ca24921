"""A failure of sealing or of a sink is recorded once in the trail, and so is the recovery."""

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
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Record a recovery at once, without waiting to see whether it lasts."""
    monkeypatch.setattr(degradation, "_CALM", timedelta(0))


def control_events() -> list[tuple[str, str, str, str]]:
    degradation.record_changes()
    return [
        (entry.name, entry.data["control"], entry.data["part"], entry.reason)
        for entry in recorded()
        if entry.name.startswith("auth.control.")
    ]


@pytest.mark.asvs("16.3.4")
def test_a_failing_sink_and_its_recovery_are_each_recorded_once(tmp_path: Path, settings: Any) -> None:
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
    assert control_events() == [
        ("auth.control.degraded", "sinks", name, "FileNotFoundError"),
        ("auth.control.restored", "sinks", name, ""),
    ]


@pytest.mark.asvs("16.3.4")
def test_a_sealing_failure_and_its_recovery_are_each_recorded_once(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(alias: str = "", **options: Any) -> int:
        raise sealer.SealsBroken

    with monkeypatch.context() as patch:
        patch.setattr(sealer, "seal", fail)
        assert [sealer.sweep() for _time in range(3)] == [0, 0, 0]
    sealer.sweep()
    sealer.sweep()

    assert control_events() == [
        ("auth.control.degraded", "sealing", "", "SealsBroken"),
        ("auth.control.restored", "sealing", "", ""),
    ]


def test_a_control_event_names_no_person(settings: Any) -> None:
    degradation.report_degraded(degradation.Control.LIMITER, reason="ConnectionError")
    degradation.record_changes()

    (entry,) = recorded("auth.control.degraded")
    assert (entry.subject_id, entry.actor_id, entry.session_id, entry.personal) == (None, None, None, [])
    assert (entry.severity, entry.outcome) == ("warning", "failure")
    assert entry.correlation_id
