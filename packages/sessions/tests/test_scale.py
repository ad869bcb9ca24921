"""Query plans over five million rows: pages and the sweep read few rows, by an index."""

import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from auth_core.runtime import batches
from auth_core.testing.postgresql import OwnPostgreSQL, as_default_database
from auth_sessions import concurrency
from auth_sessions.conf import sessions
from auth_sessions.models import Session

pytestmark = [pytest.mark.scale, pytest.mark.postgresql]

ROWS, PEOPLE = 5_000_000, 50_000

#: Maximum number of 8 KiB buffers per statement. A table of 5,000,000 sessions has half a million.
MOST_BUFFERS = 20_000

#: Sessions of the last 150 days, evenly distributed, in the order of their ids. Eight of ten sessions of each user were
#: ended. Two expired after 30 days or are still used. The digests are random.
FILL = """
    INSERT INTO auth_sessions_session (
        id, token_digest, user_id, backend, auth_hash, transport, evidence, authenticated_at, created_at, last_seen_at,
        idle_lifetime, expires_at, ended_at, ended_reason, ip, network, user_agent, data
    )
    SELECT
        (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n %% 4096), 3, '0')
            || '8' || lpad(to_hex(n), 15, '0'))::uuid,
        encode(sha256(n::text::bytea), 'hex'), person, 'auth_core.backends.IdentifierBackend', repeat('0', 64), 'cookie',
        '[{"method": "password", "at": "2026-01-01T00:00:00+00:00"}]', at, at,
        CASE WHEN is_ended THEN at + interval '1 hour' ELSE least(now(), at + interval '30 days') END,
        interval '7 days', at + interval '30 days', CASE WHEN is_ended THEN at + interval '2 hours' END,
        CASE WHEN is_ended THEN 'logout' ELSE '' END, '192.0.2.1', '192.0.2.' || n %% 256,
        'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', '{}'
    FROM (
        SELECT n, %(first)s + n %% %(people)s AS person, (n / %(people)s + n) %% 10 < 8 AS is_ended,
            now() - interval '150 days' * (1 - n::float / %(rows)s) AS at
        FROM generate_series(1, %(rows)s) AS n
    ) AS numbered
"""


@pytest.fixture(scope="module")
def filled(django_db_setup: None, django_db_blocker: Any) -> Iterator[int]:
    """A separate server with this many sessions. Yields the key of a user who has 100."""
    with django_db_blocker.unblock(), OwnPostgreSQL() as server, as_default_database(server):
        call_command("migrate", verbosity=0)
        began = time.monotonic()
        first = User.objects.bulk_create(User(username=f"p{n}") for n in range(PEOPLE))[0].pk
        _without_indexes(partial(_fill, first))
        print(f"\n{ROWS:,} rows of {PEOPLE:,} people in {time.monotonic() - began:.0f} s")
        yield first + PEOPLE // 2


def _fill(first: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"first": first, "people": PEOPLE, "rows": ROWS})


def _without_indexes(fill: Callable[[], None]) -> None:
    """Build the indexes after the rows. Sorting each once is faster."""
    with connection.schema_editor() as editor:
        for index in Session._meta.indexes:
            editor.remove_index(Session, index)
    fill()
    with connection.schema_editor() as editor:
        for index in Session._meta.indexes:
            editor.add_index(Session, index)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE auth_sessions_session")


def plans_of(name: str, ask: Callable[[], Any]) -> list[str]:
    """Run the statements of *ask*, print their plans and roll back."""
    plans = []
    with transaction.atomic(), CaptureQueriesContext(connection) as queries:
        ask()
        transaction.set_rollback(True)
    statements = [query["sql"] for query in queries.captured_queries]
    # Django deletes by batches of 100 keys. One batch is enough.
    for sql in {sql[:60]: sql for sql in statements if sql.startswith(("SELECT", "UPDATE", "DELETE"))}.values():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + sql.replace("%", "%%"), [])
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
            transaction.set_rollback(True)
        print(f"\n--- {name}: {_short(sql)}\n{_short(plans[-1])}")
    return plans


def _short(text: str) -> str:
    """Return *text* with lists of ids shortened."""
    return re.sub(r"((?:'[0-9a-f-]{36}'(?:::uuid)?|[0-9a-f-]{36}),? ?){3,}", "… ", text)[:2500]


def buffers_of(plan: str) -> int:
    """Return how many buffers the statement touched."""
    line = next(line for line in plan.splitlines() if "Buffers:" in line)
    return sum(int(number) for number in re.findall(r"(?:hit|read)=(\d+)", line))


def scans_of(plan: str) -> set[str]:
    """Return the kinds of scans in *plan*."""
    return set(re.findall(r"(\w+(?: \w+)*) Scan", plan))


def assert_indexed(plans: list[str]) -> None:
    """Assert that every table was read by an index only, and few buffers."""
    assert plans
    assert set().union(*map(scans_of, plans)) <= {"Index", "Index Only", "Bitmap Index", "Bitmap Heap"}
    assert max(map(buffers_of, plans)) <= MOST_BUFFERS


def test_the_first_page_of_a_users_live_sessions(filled: int) -> None:
    page = Session.objects.of(User(pk=filled)).live().order_by("-pk")[:51]

    plans = plans_of("sessions of this person", lambda: list(page))

    assert len(page) > 0
    assert_indexed(plans)


def test_making_room_for_one_more_session(filled: int) -> None:
    assert_indexed(plans_of("room for one more", lambda: concurrency._read(User(pk=filled))))


@pytest.mark.parametrize("moment", ["ended_at", "expires_at"])
def test_one_batch_of_the_sweep(moment: str, filled: int) -> None:
    long_ago = timezone.now() - sessions.KEEP_DEAD
    dead = Session.objects.filter(**{f"{moment}__lt": long_ago}).order_by(moment)

    plans = plans_of(f"one batch by {moment}", lambda: next(batches.deleting_in_batches(dead)))

    assert_indexed(plans)
    with transaction.atomic():
        assert next(batches.deleting_in_batches(dead)) == batches.SIZE
        transaction.set_rollback(True)


def test_a_query_without_an_index_is_detected(filled: int) -> None:
    plans = plans_of("planted", lambda: Session.objects.filter(user_agent="x").count())

    with pytest.raises(AssertionError):
        assert_indexed(plans)
