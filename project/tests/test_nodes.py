"""A session ended on one node is invalid on every other before the response, in every state of Redis."""

import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from live.redises import Redises
from live.service import Service

pytestmark = [pytest.mark.faults, pytest.mark.postgresql, pytest.mark.django_db]

PASSWORD = "correct horse battery staple"

#: The number of sessions ended in parallel. Each has four readers on the other node.
AT_ONCE, READERS = 20, 4


@dataclass
class Nodes:
    """Node A, which ends sessions, and node B, which reads them."""

    a: Service
    b: Service
    redises: Redises

    def log_in(self) -> str:
        """Return the credential of a new session."""
        body = {"identifier": "alice@example.org", "password": PASSWORD, "transport": "token"}
        credential: str = self.a.post("login/", body).json()["credential"]
        return credential

    def warm(self, credential: str) -> None:
        """Read until B answers from the snapshot, without a query."""
        with self.b.session() as caller:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                answer = caller.get(f"{self.b.url}/api/v1/me/", headers=header(credential), timeout=60)
                assert answer.status_code == 200
                if answer.headers["X-Live-Queries"] == "0":
                    return
                time.sleep(0.05)
        raise AssertionError("B never answered from the snapshot.")


@dataclass
class Round:
    """One session, with the responses to its readers."""

    credential: str
    reads: list[tuple[float, int]] = field(default_factory=list)
    ended_at: float = float("inf")
    answer: int = 0

    def survivors(self) -> int:
        """Count responses of 200 to requests that began after the revocation was answered."""
        return sum(status == 200 and began > self.ended_at for began, status in self.reads)


def header(credential: str) -> dict[str, str]:
    return {"Authorization": f"Session {credential}"}


@contextmanager
def nodes(plant: str = "") -> Iterator[Nodes]:
    """Start both nodes on one database and one Redis, each with its own link to Redis."""
    folder = Path(tempfile.mkdtemp(prefix="nodes-", dir="/tmp"))
    environment = {"LIVE_PLANT": plant} if plant else {}
    for node in ("a", "b"):
        (folder / node).mkdir()
    try:
        with (
            Redises(folder) as redises,
            Service(folder / "a", redises.url_of("a"), environment) as a,
            Service(folder / "b", redises.url_of("b"), environment, beside=a) as b,
        ):
            a.manage("create_user", "--email", "alice@example.org", "--verified", stdin=f"{PASSWORD}\n")
            yield Nodes(a, b, redises)
    finally:
        shutil.rmtree(folder)


def nothing(redises: Redises) -> None:
    """Do nothing to Redis."""


def stop(redises: Redises) -> None:
    redises.master.kill()


def start_again(redises: Redises) -> None:
    redises.stop()
    redises.start()


def flush(redises: Redises) -> None:
    redises.master.flush()


def disconnect_a(redises: Redises) -> None:
    redises.pull("a")


def reconnect_a(redises: Redises) -> None:
    redises.plug("a")


def cut_the_copy(redises: Redises) -> None:
    redises.cut_the_copy()


def fail_over(redises: Redises) -> None:
    redises.fail_over("a", "b")


def heal(redises: Redises) -> None:
    redises.heal()


Fault = Callable[[Redises], None]

#: The fault of Redis before the revocation, right after its response, and the repair.
FAULTS: dict[str, tuple[Fault, Fault, Fault]] = {
    "up": (nothing, nothing, nothing),
    "stopped": (stop, nothing, start_again),
    "flushed": (flush, flush, nothing),
    "reachable from B only": (disconnect_a, nothing, reconnect_a),
    "failed over with its last second lost": (cut_the_copy, fail_over, heal),
}


def end_in_parallel(nodes: Nodes, fault: str) -> list[Round]:
    """Warm sessions on B, end them on A during a fault, and continue reading."""
    before, after, repair = FAULTS[fault]
    with ThreadPoolExecutor(8) as pool:
        rounds = [Round(credential) for credential in pool.map(lambda _number: nodes.log_in(), range(AT_ONCE))]
        list(pool.map(lambda one: nodes.warm(one.credential), rounds))
    is_over = threading.Event()
    all_reading = threading.Barrier(AT_ONCE * READERS + 1)
    readers = [
        threading.Thread(target=keep_reading, args=(nodes.b, one, all_reading, is_over))
        for one in rounds
        for _reader in range(READERS)
    ]
    for reader in readers:
        reader.start()
    all_reading.wait(timeout=60)
    before(nodes.redises)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda one: end(nodes.a, one), rounds))
    after(nodes.redises)
    time.sleep(1.5)
    is_over.set()
    for reader in readers:
        reader.join()
    repair(nodes.redises)
    for one in rounds:
        read(nodes.b, one)
    return rounds


def end(node: Service, one: Round) -> None:
    with node.session() as caller:
        answer = caller.post(f"{node.url}/api/v1/logout/", json={}, headers=header(one.credential), timeout=30)
    one.answer, one.ended_at = answer.status_code, time.monotonic()


def keep_reading(node: Service, one: Round, all_reading: threading.Barrier, is_over: threading.Event) -> None:
    with node.session() as caller:
        read(node, one, caller)
        all_reading.wait(timeout=60)
        while not is_over.is_set():
            read(node, one, caller)
            time.sleep(0.02)


def read(node: Service, one: Round, caller: requests.Session | None = None) -> None:
    began = time.monotonic()
    get: Any = caller.get if caller else requests.get
    verify = {} if caller else {"verify": str(node.certificate)}
    answer = get(f"{node.url}/api/v1/me/", headers=header(one.credential), timeout=30, **verify)
    one.reads.append((began, answer.status_code))


def count(fault: str, rounds: list[Round]) -> dict[str, Any]:
    """Return a summary of *rounds*."""
    statuses = Counter(status for one in rounds for _began, status in one.reads)
    after = sum(began > one.ended_at for one in rounds for began, _status in one.reads)
    return {
        "fault": fault,
        "rounds": len(rounds),
        "ended": dict(Counter(one.answer for one in rounds)),
        "reads": dict(statuses),
        "reads begun after the end": after,
        "survivors": sum(one.survivors() for one in rounds),
    }


@pytest.mark.parametrize(
    ("fault", "batches"),
    [
        pytest.param(fault, batches, marks=marks, id=f"{fault}-{batches * AT_ONCE}")
        for fault in FAULTS
        for batches, marks in ((1, []), (50, [pytest.mark.long]))
        if marks or fault in {"reachable from B only", "failed over with its last second lost"}
    ],
)
def test_a_session_ended_on_a_is_refused_on_b(fault: str, batches: int, capsys: Any) -> None:
    with nodes() as both:
        rounds = [one for _batch in range(batches) for one in end_in_parallel(both, fault)]

    summary = count(fault, rounds)
    with capsys.disabled():
        print(f"\n{summary}")
    assert summary["ended"] == {204: len(rounds)}
    assert set(summary["reads"]) == {200, 401}
    assert summary["reads begun after the end"] > len(rounds) * READERS
    assert summary["survivors"] == 0


@pytest.mark.parametrize("fault", ["reachable from B only", "failed over with its last second lost"])
def test_only_deleting_the_key_is_detected(fault: str, capsys: Any) -> None:
    with nodes("just_delete_the_key") as both:
        summary = count(fault, end_in_parallel(both, fault))

    with capsys.disabled():
        print(f"\nplanted: {summary}")
    assert summary["survivors"] > 0, "the planted defect must be detected"
