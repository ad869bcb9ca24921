"""100 parallel logins of one user never exceed the session limit."""

import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client as Browser

from auth_core.testing.browsers import log_in
from auth_core.testing.factories import make_user
from auth_core.testing.parallel import at_once, tally
from auth_core.testing.postgresql import OwnPostgreSQL, as_default_database
from auth_sessions import concurrency
from auth_sessions.models import Session

pytestmark = [pytest.mark.postgresql, pytest.mark.filterwarnings("default::ResourceWarning")]

LOGINS, LIMIT = 100, 3

#: The maximum number of simultaneously open sessions of a user, by their rows alone.
GREATEST_OVERLAP = """
    SELECT coalesce(max(open), 0) FROM (
        SELECT sum(step) OVER (ORDER BY moment, step) AS open FROM (
            SELECT created_at AS moment, 1 AS step FROM auth_sessions_session WHERE user_id = %(user)s
            UNION ALL
            SELECT ended_at, -1 FROM auth_sessions_session WHERE user_id = %(user)s AND ended_at IS NOT NULL
        ) AS steps
    ) AS counted
"""


@pytest.fixture
def database(own_postgresql: OwnPostgreSQL, django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database that allows 100 connections."""
    with django_db_blocker.unblock(), as_default_database(own_postgresql):
        call_command("migrate", verbosity=0)
        yield


@pytest.fixture(autouse=True)
def budgets(settings: Any) -> None:
    """Budgets that 100 logins do not exhaust, and an outbox that sends no mail."""
    wide = (1_000_000, timedelta(minutes=15))
    login = {"login": {"identifier": wide, "network": wide}}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": login, "OUTBOX_RELAY": "manual"}


def greatest_overlap(user: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(GREATEST_OVERLAP, {"user": user.pk})
        return int(cursor.fetchone()[0])


def read_then_wait(read: Any, user: Any) -> Any:
    """Read, then wait, so that other logins run in between."""
    result = read(user)
    time.sleep(0.02)
    return result


def race(identifier: str) -> tuple[Any, Counter[str]]:
    """Create a user and log them in 100 times in parallel. Return the user and the number of each result.

    Each login uses its own browser. Logins in one browser would wait for the device's row and prove nothing.
    """
    user = make_user(identifier)
    logins = [partial(log_in, Browser(), identifier=identifier) for _login in range(LOGINS)]
    return user, tally(at_once(logins))


@pytest.mark.asvs("7.1.2")
@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.races)])
@pytest.mark.parametrize("policy", ["end_oldest", "end_least_recent"])
def test_100_parallel_logins_leave_the_last_three_sessions_and_never_four(
    policy: str, rounds: int, database: None, settings: Any
) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "LIMIT": LIMIT, "LIMIT_POLICY": policy}
    overlaps, codes = Counter[int](), Counter[str]()

    for round_ in range(rounds):
        user, results = race(f"{policy}-{round_}@example.org")
        granted = list(Session.objects.of(user).order_by("created_at", "pk"))

        overlaps[greatest_overlap(user)] += 1
        codes += results
        assert [row.ended_at is None for row in granted] == [False] * (LOGINS - LIMIT) + [True] * LIMIT
        assert {row.ended_reason for row in granted[:-LIMIT]} == {"limit"}

    print(f"\n{policy}: greatest overlaps {dict(overlaps)}, answers {dict(codes)}")
    assert overlaps == {LIMIT: rounds}
    assert codes == {"200": LOGINS * rounds}


@pytest.mark.asvs("7.1.2")
@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.races)])
def test_100_parallel_logins_leave_the_first_three_sessions_and_refuse_the_others(
    rounds: int, database: None, settings: Any
) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "LIMIT": LIMIT, "LIMIT_POLICY": "deny_new"}
    overlaps, codes = Counter[int](), Counter[str]()

    for round_ in range(rounds):
        user, results = race(f"deny-{round_}@example.org")

        overlaps[greatest_overlap(user)] += 1
        codes += results
        assert Session.objects.of(user).live().count() == Session.objects.of(user).count() == LIMIT

    print(f"\ndeny_new: greatest overlaps {dict(overlaps)}, answers {dict(codes)}")
    assert overlaps == {LIMIT: rounds}
    assert codes == {"200": LIMIT * rounds, "login_denied": (LOGINS - LIMIT) * rounds}


@pytest.mark.parametrize("policy", ["deny_new", "end_oldest", "end_least_recent"])
def test_without_the_lock_the_limit_is_exceeded(
    policy: str, database: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "LIMIT": LIMIT, "LIMIT_POLICY": policy}
    monkeypatch.setattr(concurrency, "_locks", lambda user: [])
    monkeypatch.setattr(concurrency, "_read", partial(read_then_wait, concurrency._read))

    # The order of 100 threads is not deterministic. One of five rounds shows the defect.
    overlaps = (greatest_overlap(race(f"planted-{round_}@example.org")[0]) for round_ in range(5))

    assert any(overlap > LIMIT for overlap in overlaps), "the planted defect must be seen"


def test_with_the_lock_slow_logins_do_not_exceed_the_limit(
    database: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "LIMIT": LIMIT, "LIMIT_POLICY": "end_oldest"}
    monkeypatch.setattr(concurrency, "_read", partial(read_then_wait, concurrency._read))

    user, results = race("slow@example.org")

    assert results == {"200": LOGINS}
    assert greatest_overlap(user) == LIMIT
