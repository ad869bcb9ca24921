"""What was revoked on one node is refused on every other with the next request, however warm it is there."""

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

#: A thousand rounds take longer than an administrator's proof stays fresh, and are about something else.
BY_PASSWORD = {"ADMIN_ASSURANCE": "none"}

#: Answers in a row after which both workers of a node are warm enough for the defect below to be seen.
WARM = 6


@dataclass
class Nodes:
    """Node A, on which roles are given and taken away, and node B, on which their holder asks."""

    a: Service
    b: Service
    root: requests.Session
    alice: requests.Session
    alice_id: str = ""
    role_id: str = ""
    seen: Counter[str] = field(default_factory=Counter)

    def ask(self) -> bool:
        """Return what B decides for alice."""
        answer = self.alice.post(f"{self.b.url}/api/v1/access/check/", json={"permission": NEEDED}, timeout=30)
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["allowed"])

    def grant(self) -> str:
        """Give alice the role on A; return the address of the assignment."""
        body = {"user": self.alice_id, "role": self.role_id}
        answer = self.root.post(f"{self.a.url}/api/v1/assignments/", json=body, timeout=30)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def revoke(self, assignment: str) -> None:
        """Take it away on A, and wait for the answer."""
        answer = self.root.delete(f"{self.a.url}/api/v1/assignments/{assignment}/", timeout=30)
        assert answer.status_code == 204, answer.text

    def round(self) -> None:
        """Give, warm B, take away on A, ask B once."""
        assignment = self.grant()
        warm = [self.ask() for _time in range(WARM)]
        self.seen["given on A, refused on B"] += warm.count(False)
        self.revoke(assignment)
        self.seen["refused" if not self.ask() else "survived"] += 1


@contextmanager
def nodes() -> Iterator[Nodes]:
    """Start both nodes on one database and one Redis, with somebody who may do everything and somebody who may not."""
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
            found = Nodes(a, b, root=signed_in(a, a, "root"), alice=signed_in(a, b, "alice"))
            found.alice_id = found.alice.get(f"{b.url}/api/v1/me/", timeout=30).json()["id"]
            body = {"name": "Auditor", "permissions": [NEEDED]}
            found.role_id = found.root.post(f"{a.url}/api/v1/roles/", json=body, timeout=30).json()["id"]
            yield found
            found.root.close()
            found.alice.close()
    finally:
        shutil.rmtree(folder)


def signed_in(at: Service, caller_of: Service, name: str) -> requests.Session:
    """Return a caller of one node with a session that was opened at another."""
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
        print(f"\nrevoked on A, asked on B: {dict(both.seen)}")
    assert both.seen == {"refused": rounds, "given on A, refused on B": 0}


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
    assert survived, "the planted defect must be seen"
