"""What the session check and the logout cost: statements, commits and round trips to Redis."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from auth_audit.models import AuditEntry
from auth_core.testing.browsers import log_in
from auth_core.testing.counts import counted
from auth_core.testing.redis import OwnRedis
from auth_sessions import lifecycle, session_statement
from auth_sessions.models import Session

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


class Cost(NamedTuple):
    """Statements without the entries of the trail, those entries, commits, and round trips to Redis."""

    statements: int
    entries: int
    commits: int
    round_trips: int


class Caller:
    """A caller with a session token."""

    def __init__(self) -> None:
        self.http = Browser()
        granted = log_in(self.http, identifier="alice@example.org", transport="token")
        self.header = f"Session {granted.json()['credential']}"

    def check(self) -> int:
        """Check the session. Return the status."""
        return int(self.http.get("/api/v1/me/", HTTP_AUTHORIZATION=self.header).status_code)

    def log_out(self) -> int:
        """End the session. Return the status."""
        sent = {"content_type": "application/json", "HTTP_AUTHORIZATION": self.header}
        return int(self.http.post("/api/v1/logout/", {}, **sent).status_code)


@pytest.fixture
def caller(shared: OwnRedis, alice: Any, settings: Any) -> Caller:
    settings.AUTH_SESSIONS = {"EPOCH_READER": "alone"}
    caller = Caller()
    caller.check()
    return caller


def cost_of(request: Callable[[], int], status: int) -> Cost:
    """Return the cost of one request, which must have *status*."""
    with counted() as counts, CaptureQueriesContext(connection) as captured:
        assert request() == status
    texts = [query["sql"] for query in captured]
    explicit = texts.count("COMMIT")
    # A change outside a transaction commits itself.
    alone = 0 if "BEGIN" in texts else sum(text.startswith(("UPDATE", "INSERT", "DELETE")) for text in texts)
    return Cost(counts.queries, len(counts.entries), explicit + alone, counts.round_trips)


def begin_a_minute(shared: OwnRedis) -> None:
    """Let the snapshot expire, and the last use lie more than a minute back."""
    Session.objects.update(last_seen_at=timezone.now() - timedelta(minutes=2))
    shared.flush()


def test_a_warm_check(caller: Caller) -> None:
    assert cost_of(caller.check, 200) == Cost(statements=0, entries=0, commits=0, round_trips=1)


def test_the_first_and_second_check_in_a_minute(shared: OwnRedis, caller: Caller) -> None:
    begin_a_minute(shared)

    assert cost_of(caller.check, 200) == Cost(statements=2, entries=0, commits=1, round_trips=2)
    assert cost_of(caller.check, 200) == Cost(statements=0, entries=0, commits=0, round_trips=1)


def test_a_check_after_the_session_was_revoked(caller: Caller, alice: Any) -> None:
    lifecycle.end_all_sessions(user=alice, reason="revoked")

    assert cost_of(caller.check, 401) == Cost(statements=1, entries=0, commits=0, round_trips=1)


def test_a_logout(caller: Caller) -> None:
    # The session, the epoch of the cache, what the session gave to applications, and both entries in one statement.
    assert cost_of(caller.log_out, 204) == Cost(statements=3, entries=1, commits=1, round_trips=2)


def test_a_logout_sets_no_savepoint(caller: Caller) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert caller.log_out() == 204

    assert [query["sql"] for query in captured if "SAVEPOINT" in query["sql"]] == []


def test_a_logout_after_another_end_of_the_session(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    end = session_statement.end_session

    def end_later(**values: Any) -> Any:
        Session.objects.filter(pk=values["session_id"]).update(ended_at=timezone.now(), ended_reason="revoked")
        return end(**values)

    monkeypatch.setattr(session_statement, "end_session", end_later)

    assert caller.log_out() == 204
    assert caller.check() == 401
    assert not AuditEntry.objects.filter(name="session.session.ended").exists(), "another call recorded it"
