"""The cost of a login in the composed service: statements, commits, and round trips to the shared cache.

Decision record 0044 explains the numbers.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from auth_core.assurance.methods import Evidence, Method
from auth_core.conf import core
from auth_core.contracts import Purpose, Transport
from auth_core.flows.account_creation import create_account
from auth_core.login.journey import open_login
from auth_core.models import PendingLogin
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client
from auth_core.runtime.redis_cache import shared_cache
from auth_core.testing.browsers import log_in, new_browser
from auth_core.testing.factories import PASSWORD
from auth_core.testing.settings import redis_url
from auth_mfa.testing.factors import add_totp
from auth_sessions.models import Session

# Other databases have no such statements.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

DEVICE = "__Host-device"


@dataclass
class Cost:
    """What a login costs. Complete when its block ends.

    Args:
        statements: All statements, those of the trail included.
        commits: Transactions with a change that were committed.
        savepoints: Commands for savepoints.
        round_trips: Commands to the shared cache. 0 without one.
    """

    statements: list[str] = field(default_factory=list)
    commits: int = 0
    savepoints: int = 0
    round_trips: int = 0

    def counts(self) -> tuple[int, int, int]:
        return len(self.statements), self.commits, self.savepoints


@contextmanager
def cost() -> Iterator[Cost]:
    found, cache, is_open = Cost(), shared_cache(core.REDIS_URL), False
    before = cache.round_trips if cache else 0
    with CaptureQueriesContext(connection) as queries:
        yield found
    found.round_trips = (cache.round_trips if cache else 0) - before
    for sql in (query["sql"].strip() for query in queries.captured_queries):
        command = sql.split(maxsplit=1)[0].upper()
        if command in ("BEGIN", "COMMIT", "ROLLBACK"):
            is_open = command == "BEGIN"
            found.commits += command == "COMMIT"
        elif command in ("SAVEPOINT", "RELEASE"):
            found.savepoints += 1
        else:
            found.statements.append(sql)
            # A change outside a transaction commits by itself.
            found.commits += not is_open and command != "SELECT"


@pytest.fixture
def alice() -> Any:
    """A person who has logged in before with a token, and whose second login the tests count."""
    alice = create_account(email="alice@example.org", password=PASSWORD, verified=True)
    log_in(new_browser(), transport="token")
    return alice


def known_browser() -> Browser:
    """A browser with nothing but the cookie of a device that the person has used."""
    used, browser = new_browser(), new_browser()
    assert log_in(used).status_code == 200
    browser.cookies[DEVICE] = used.cookies[DEVICE].value
    return browser


CASES: dict[str, tuple[Callable[[], Browser], dict[str, str], int, tuple[int, int, int], int]] = {
    # name: browser, body, status, (statements, commits, savepoints), round trips
    "with a token": (new_browser, {"transport": "token"}, 200, (6, 2, 0), 2),
    "in a known browser": (known_browser, {}, 200, (6, 2, 0), 2),
    "wrong password": (new_browser, {"transport": "token", "password": "wrong all the time"}, 401, (4, 2, 0), 1),
    "unknown": (new_browser, {"transport": "token", "identifier": "eve@example.org"}, 401, (4, 2, 0), 1),
}


@pytest.mark.parametrize("case", CASES)
def test_a_login_has_two_commits_and_few_statements(case: str, alice: Any) -> None:
    browser_for, body, status, counts, round_trips = CASES[case]
    browser = browser_for()

    with cost() as login:
        response = log_in(browser, **body)

    assert response.status_code == status
    assert login.counts() == counts, "\n".join(login.statements)
    assert login.round_trips == (round_trips if redis_url() else 0)


def test_a_challenge_has_two_commits(alice: Any) -> None:
    add_totp(alice)
    browser = new_browser()

    with cost() as login:
        response = log_in(browser, transport="token")

    assert response.status_code == 202
    assert login.counts() == (7, 2, 0), "\n".join(login.statements)


def test_a_login_that_is_granted_at_once_leaves_a_session_and_no_pending_login(alice: Any) -> None:
    assert log_in(new_browser(), transport="token").status_code == 200

    alice.refresh_from_db()
    newest = Session.objects.of(alice).latest("pk")
    assert not PendingLogin.objects.exists()
    assert alice.last_login == newest.last_seen_at
    assert (newest.device_id is not None, newest.device_known) == (True, False)


def test_a_login_in_which_another_person_acts_reads_no_history(alice: Any) -> None:
    """The risk of such a login is not assessed."""
    chief = create_account(email="chief@example.org", password=PASSWORD, superuser=True)

    statements = {}
    for name, actor_id in (("own", None), ("acted", identity_of(chief).subject_id)):
        with cost() as login:
            begin_login(alice, actor_id=actor_id)
        [statements[name]] = [sql for sql in login.statements if "json_agg" in sql]

    assert "auth_sessions_session" in statements["own"]
    assert "auth_sessions_session" not in statements["acted"]
    assert "auth_mfa_totpfactor" in statements["acted"], "the second factor is required of the actor as well"


def begin_login(user: Any, *, actor_id: UUID | None) -> None:
    """Log *user* in with a password that was verified."""
    user.backend = "auth_core.backends.IdentifierBackend"
    open_login(
        user=user,
        evidence=Evidence.now(Method.PASSWORD),
        purpose=Purpose.LOGIN,
        transport=Transport.TOKEN,
        client=Client(ip="192.0.2.1"),
        actor_id=actor_id,
    )


def test_one_more_statement_is_seen(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth_core.login.journey.read_together", lambda user, client, **options: None)
    browser = new_browser()

    with cost() as login:
        log_in(browser, transport="token")

    assert login.counts() == (7, 2, 0), "the planted defect must be caught"
