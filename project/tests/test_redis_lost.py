"""Killing Redis under load ends no session, and Redis is used again after its return (fault F02)."""

import statistics
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from auth_core.testing.redis import OwnRedis
from live.service import Service

pytestmark = [pytest.mark.faults, pytest.mark.postgresql, pytest.mark.django_db]

PASSWORD = "correct horse battery staple"
CLIENTS = 20

_CONTROLS = (
    "SELECT data->>'control', data->>'process', name FROM auth_audit_auditentry"
    " WHERE name LIKE 'auth.control.%' ORDER BY id"
)


@dataclass(frozen=True)
class Read:
    """One response to a session with a cached snapshot."""

    began: float
    seconds: float
    status: int
    queries: int


def keep_reading(service: Service, credential: str, is_over: threading.Event, reads: list[Read]) -> None:
    with service.session() as caller:
        while not is_over.is_set():
            reads.append(read(service, caller, credential))
            time.sleep(0.02)


def read(service: Service, caller: requests.Session, credential: str) -> Read:
    began = time.monotonic()
    header = {"Authorization": f"Session {credential}"}
    answer = caller.get(f"{service.url}/api/v1/me/", headers=header, timeout=30)
    return Read(began, time.monotonic() - began, answer.status_code, int(answer.headers.get("X-Live-Queries", -1)))


def p95(reads: list[Read]) -> float:
    """Return the 95th percentile in milliseconds."""
    return round(statistics.quantiles([one.seconds for one in reads], n=20)[-1] * 1000, 1)


def between(reads: list[Read], begin: float, end: float) -> list[Read]:
    return [one for one in reads if begin <= one.began < end]


def healed_after(reads: list[Read], began: float) -> float:
    """Return the seconds until ten consecutive responses came from the snapshot."""
    later = sorted((one for one in reads if one.began >= began), key=lambda one: one.began)
    for position in range(len(later) - 10):
        if all(one.queries == 0 for one in later[position : position + 10]):
            return round(later[position].began - began, 2)
    return float("inf")


def changes_of_controls(service: Service) -> dict[str, tuple[str, ...]]:
    """Return the reports of each process on each control, in order. Allow a few seconds for their threads."""
    reports: dict[str, tuple[str, ...]] = {}
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and sum(map(len, reports.values())) < 8:
        time.sleep(0.2)
        reports = {}
        for control, process, name in service.query(_CONTROLS):
            key = f"{control} of {process.rpartition(':')[2]}"
            reports[key] = (*reports.get(key, ()), name)
    return reports


@pytest.mark.asvs("16.3.4")
def test_killing_redis_under_load_ends_no_session(tmp_path: Path, own_redis: OwnRedis, capsys: Any) -> None:
    with Service(tmp_path, own_redis.url) as service:
        service.manage("create_user", "--email", "alice@example.org", "--verified", stdin=f"{PASSWORD}\n")
        body = {"identifier": "alice@example.org", "password": PASSWORD, "transport": "token"}
        credentials = [service.post("login/", body).json()["credential"] for _client in range(CLIENTS)]
        is_over, reads = threading.Event(), list[Read]()
        clients = [
            threading.Thread(target=keep_reading, args=(service, credential, is_over, reads))
            for credential in credentials
        ]
        for client in clients:
            client.start()
        time.sleep(5)
        killed = time.monotonic()
        own_redis.kill()
        time.sleep(4)
        started = time.monotonic()
        own_redis.start()
        time.sleep(7)
        reports = changes_of_controls(service)
        is_over.set()
        for client in clients:
            client.join()

    before, without = between(reads, killed - 2, killed), between(reads, killed, started)
    summary = {
        "reads": len(reads),
        "statuses": dict(Counter(one.status for one in reads)),
        "p95 ms before": p95(before),
        "p95 ms without Redis": p95(without),
        "answered by the snapshot before": f"{sum(one.queries == 0 for one in before)} of {len(before)}",
        "healed after s": healed_after(reads, started),
        "reported by each process": reports,
    }
    with capsys.disabled():
        print(f"\n{summary}")
    assert summary["statuses"] == {200: len(reads)}
    assert sum(one.queries == 0 for one in before) > len(before) * 0.8
    assert all(one.queries > 0 for one in between(reads, killed + 1, started))
    assert healed_after(reads, started) < float("inf")
    # Both workers use both controls. Each reports both changes once.
    assert len(reports) == 4
    assert set(reports.values()) == {("auth.control.degraded", "auth.control.restored")}
