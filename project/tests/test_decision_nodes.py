"""A revocation on one node applies to the next request on every other, even with a warm cache."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from live.redises import Redises
from live.service import Service, connection_parameters

pytestmark = [pytest.mark.faults, pytest.mark.postgresql, pytest.mark.django_db]

PASSWORD = "correct horse battery staple"
NEEDED = "auth_audit.view_auditentry"

#: A thousand rounds take longer than the lifetime of an administrator's proof, which this test does not cover.
BY_PASSWORD = {"ADMIN_ASSURANCE": "none"}

#: The number of requests that warm both workers of a node enough to detect the defect below.
WARM = 6


@dataclass
class Nodes:
    """Node A, which assigns and revokes roles, and node B, which decides for their holder."""

    a: Service
    b: Service
    root: requests.Session
    alice: requests.Session
    alice_id: str = ""
    role_id: str = ""
    counts: Counter[str] = field(default_factory=Counter)

    def ask(self) -> bool:
        """Return the decision of B for alice."""
        answer = self.alice.post(f"{self.b.url}/api/v1/access/check/", json={"permission": NEEDED}, timeout=30)
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["allowed"])

    def grant(self) -> str:
        """Assign the role to alice on A, and return the id of the assignment."""
        body = {"holder": {"kind": "person", "id": self.alice_id}, "role": self.role_id}
        answer = self.root.post(f"{self.a.url}/api/v1/assignments/", json=body, timeout=30)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def revoke(self, assignment: str) -> None:
        """Revoke the assignment on A, and wait for the response."""
        answer = self.root.delete(f"{self.a.url}/api/v1/assignments/{assignment}/", timeout=30)
        assert answer.status_code == 204, answer.text

    def round(self) -> None:
        """Assign, warm B, revoke on A, ask B once."""
        assignment = self.grant()
        warm = [self.ask() for _time in range(WARM)]
        self.counts["assigned on A, refused on B"] += warm.count(False)
        self.revoke(assignment)
        self.counts["refused" if not self.ask() else "survived"] += 1


@contextmanager
def nodes() -> Iterator[Nodes]:
    """Start both nodes on one database and one Redis, with a superuser and an ordinary user."""
    folder = Path(tempfile.mkdtemp(prefix="decisions-", dir="/tmp"))
    for node in ("a", "b"):
        (folder / node).mkdir()
    try:
        with (
            Redises(folder) as redises,
            Service(folder / "a", redises.url_of("a"), dict(BY_PASSWORD)) as a,
            Service(folder / "b", redises.url_of("b"), dict(BY_PASSWORD), beside=a) as b,
        ):
            for name, more in (("alice", ()), ("root", ("--superuser",))):
                address = f"{name}@example.org"
                a.manage("create_user", "--email", address, "--verified", *more, stdin=f"{PASSWORD}\n")
            both = Nodes(a, b, root=session_at(a, a, "root"), alice=session_at(a, b, "alice"))
            both.alice_id = both.alice.get(f"{b.url}/api/v1/me/", timeout=30).json()["id"]
            body = {"name": "Auditor", "permissions": [NEEDED]}
            both.role_id = both.root.post(f"{a.url}/api/v1/roles/", json=body, timeout=30).json()["id"]
            yield both
            both.root.close()
            both.alice.close()
    finally:
        shutil.rmtree(folder)


def session_at(at: Service, caller_of: Service, name: str) -> requests.Session:
    """Return a client of one node with a session that was opened at another."""
    body = {"identifier": f"{name}@example.org", "password": PASSWORD, "transport": "token"}
    caller = caller_of.session()
    caller.headers["Authorization"] = f"Session {at.post('login/', body).json()['credential']}"
    return caller


@pytest.mark.asvs("8.3.2")
@pytest.mark.parametrize("rounds", [20, pytest.param(1_000, marks=pytest.mark.long)])
def test_a_revocation_on_a_applies_on_b(rounds: int, capsys: Any) -> None:
    with nodes() as both:
        for _round in range(rounds):
            both.round()

    with capsys.disabled():
        print(f"\nrevoked on A, asked on B: {dict(both.counts)}")
    assert both.counts == {"refused": rounds, "assigned on A, refused on B": 0}


def test_missing_triggers_are_detected(capsys: Any) -> None:
    with nodes() as both:
        place = {**connection_parameters(), "dbname": both.a.database}
        assignment = both.grant()
        assert all(both.ask() for _time in range(WARM))
        with psycopg.connect(**place) as database:
            database.execute("DROP FUNCTION auth_rbac_touch_people, auth_rbac_touch_holders CASCADE")
        both.revoke(assignment)
        survived = both.ask()

    with capsys.disabled():
        print(f"\nplanted: survived {survived}")
    assert survived, "the planted defect must be detected"
