"""A degraded control is recorded once, and its recovery once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auth_core.events import AuthEvent, Event
from auth_core.request.client import Client
from auth_core.runtime import degradation
from auth_core.runtime.redis_cache import shared_cache
from auth_core.testing.events import recording
from auth_core.testing.redis import OwnRedis
from auth_sessions.conf import sessions
from auth_sessions.risk import AssessLogin
from conftest import Caller

pytestmark = pytest.mark.django_db(transaction=True)

DEGRADED, RESTORED = AuthEvent.CONTROL_DEGRADED, AuthEvent.CONTROL_RESTORED


@pytest.fixture(autouse=True)
def no_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count a recovered control as stable at once."""
    monkeypatch.setattr(degradation, "_CALM", timedelta(0))


@pytest.fixture
def events() -> Iterator[list[Event]]:
    with recording() as recorded:
        yield recorded


def control_changes(events: list[Event], control: str) -> list[tuple[AuthEvent, str]]:
    degradation.record_changes()
    return [(event.name, event.data["part"]) for event in events if event.data.get("control") == control]  # type: ignore[misc]  # these two are of AuthEvent


@pytest.mark.asvs("16.3.4")
def test_a_lost_session_cache_is_recorded_once(
    shared: OwnRedis, alice: Any, caller: Caller, events: list[Event]
) -> None:
    caller.log_in()
    cache = shared_cache(sessions.cache_url)
    assert cache is not None
    cache._breaker._pause = 0.0

    shared.kill()
    statuses = {caller.get("me/").status_code for _request in range(8)}
    shared.start()
    statuses |= {caller.get("me/").status_code for _request in range(8)}

    assert statuses == {200}
    assert control_changes(events, "session_cache") == [(DEGRADED, ""), (RESTORED, "")]


@pytest.mark.asvs("16.3.4")
def test_an_unreadable_network_list_is_recorded_once(
    alice: Any, settings: Any, tmp_path: Path, events: list[Event]
) -> None:
    network_file = tmp_path / "networks"
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "ANONYMISING_NETWORKS": str(network_file)}
    client = Client(ip="192.0.2.7", network="192.0.2.7")

    for _login in range(3):
        AssessLogin().assess(alice, client)
    network_file.write_text("192.0.2.0/24\n")
    for _login in range(3):
        AssessLogin().assess(alice, client)

    assert control_changes(events, "risk_signals") == [
        (DEGRADED, "anonymising_network"),
        (RESTORED, "anonymising_network"),
    ]


def test_an_unreadable_geoip_file_is_recorded_once(alice: Any, settings: Any, events: list[Event]) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "GEOIP_PATH": "/nowhere/cities.mmdb"}

    for ip in ("81.2.69.142", "10.0.0.1", "81.2.69.142"):
        AssessLogin().assess(alice, Client(ip=ip, network=ip))

    assert control_changes(events, "risk_signals") == [(DEGRADED, "places")]
