"""Reading the trail."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from auth_audit.api.bodies import EntryFilters
from auth_audit.models import AuditEntry
from auth_audit.search import search
from auth_core.events import AuthEvent, Event, record
from auth_core.people.lookup import find_by_identifier
from auth_core.request.client import Client

pytestmark = pytest.mark.django_db

PATH = "/api/v1/audit/entries/"


def test_an_auditor_can_read_entries(auditor: Browser, alice: Any) -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice))

    page = auditor.get(PATH).json()

    newest = page["results"][0]
    assert newest["name"] == "auth.email.verified"
    assert newest["subject"] == str(alice.auth_identity.subject_id)
    assert auditor.get(f"{PATH}{newest['id']}/").json() == newest
    assert set(page) == {"next", "previous", "results"}


def test_an_anonymous_request_is_refused(db: None) -> None:
    assert Browser().get(PATH).status_code == 401


@pytest.mark.parametrize("is_staff", [True, False])
def test_staff_status_alone_does_not_allow_reading(is_staff: bool, alice: Any) -> None:
    alice.is_staff = is_staff
    alice.save()
    browser = Browser()
    browser.force_login(alice, backend="auth_core.backends.IdentifierBackend")

    assert browser.get(PATH).status_code == 403


def test_entries_can_be_filtered(auditor: Browser, alice: Any) -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice, reason="here"))
    subject = alice.auth_identity.subject_id
    tomorrow = quote((timezone.now() + timedelta(days=1)).isoformat())

    def count(query: str) -> int:
        return len(auditor.get(f"{PATH}?{query}").json()["results"])

    assert count(f"subject={subject}&name=auth.email.verified") == 1
    assert count("name=auth.email.verified&outcome=failure") == 0
    assert count(f"subject={subject}&until={tomorrow}") == 2
    assert count(f"since={tomorrow}") == 0


def test_pages_continue_where_the_last_one_ended(auditor: Browser) -> None:
    for _number in range(4):
        record(Event(name=AuthEvent.EMAIL_VERIFIED))
    first = auditor.get(f"{PATH}?name=auth.email.verified&page_size=3").json()
    record(Event(name=AuthEvent.EMAIL_VERIFIED))

    second = auditor.get(first["next"]).json()

    ids = [entry["id"] for page in (first, second) for entry in page["results"]]
    assert len(ids) == 4
    assert ids == sorted(ids, reverse=True)
    assert second["next"] is None


def test_listing_entries_runs_no_count(auditor: Browser) -> None:
    with CaptureQueriesContext(connection) as queries:
        auditor.get(PATH)

    assert not any("COUNT(" in query["sql"] for query in queries)


@pytest.mark.parametrize("path", [PATH, "/api/v1/me/activity/"])
@pytest.mark.parametrize("size", [1, 50])
def test_a_page_takes_the_same_statements_whatever_its_size(path: str, size: int, auditor: Browser) -> None:
    reader = find_by_identifier("auditor@example.org")
    for _number in range(size):
        record(Event(name=AuthEvent.LOGIN_SUCCEEDED, subject=reader, client=Client(ip="192.0.2.7", user_agent="x")))

    with CaptureQueriesContext(connection) as queries:
        page = auditor.get(f"{path}?page_size={size}").json()

    statements = [query["sql"] for query in queries if "auth_audit_" in query["sql"]]
    assert len(page["results"]) == size
    # On PostgreSQL the keys of the personal values are read with the entries.
    assert len(statements) == (1 if connection.vendor == "postgresql" else 2), statements


@pytest.mark.parametrize(("query", "has_results"), [("since", True), ("until", False)])
@pytest.mark.parametrize("moment", ["0002-01-01T00:00:00Z", "1969-12-31T23:59:59Z"])
def test_times_before_1970_are_accepted_as_filters(
    moment: str, query: str, has_results: bool, auditor: Browser
) -> None:
    page = auditor.get(f"{PATH}?{query}={moment}")

    assert page.status_code == 200
    assert bool(page.json()["results"]) == has_results


def test_since_is_inclusive_and_until_exclusive(auditor: Browser) -> None:
    with time_machine.travel(1_790_000_000, tick=False):
        record(Event(name=AuthEvent.EMAIL_VERIFIED))

    def count(query: str) -> int:
        return len(auditor.get(f"{PATH}?name=auth.email.verified&{query}").json()["results"])

    moment, next_second = "2026-09-21T14:13:20Z", "2026-09-21T14:13:21Z"
    assert count(f"since={moment}&until={next_second}") == 1
    assert count(f"until={moment}") == 0
    assert count(f"since={next_second}&until=2026-10-01T00:00:00Z") == 0


@pytest.mark.parametrize("query", ["colour=red", "subject=alice", "outcome=maybe", "since=yesterday", "name=a&name=b"])
@pytest.mark.asvs("15.3.7")
def test_an_unknown_or_invalid_filter_is_refused(query: str, auditor: Browser) -> None:
    refused = auditor.get(f"{PATH}?{query}")

    assert refused.status_code == 400
    assert refused.json()["code"] == "invalid_request"


def test_an_unknown_entry_id_returns_404(auditor: Browser) -> None:
    assert auditor.get(f"{PATH}01900000-0000-7000-8000-000000000000/").status_code == 404


@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({"subject": "01900000-0000-7000-8000-000000000000"}, "subject_id"),
        ({"actor": "01900000-0000-7000-8000-000000000000"}, "actor_id"),
        ({"name": "auth.login.failed"}, "name"),
        ({"session": "01900000-0000-7000-8000-000000000000"}, "session_id"),
        ({"correlation_id": "x"}, "correlation_id"),
    ],
)
def test_a_query_for_one_month_uses_an_index_and_one_partition(query: dict[str, str], index: str) -> None:
    month = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    range_ = {"since": month.isoformat(), "until": (month + timedelta(days=27)).isoformat()}
    filters = EntryFilters._checked({**query, **range_})
    with connection.cursor() as cursor:
        # Test tables are so small that a sequential scan would be cheapest.
        cursor.execute("SET LOCAL enable_seqscan = off")

    plan = search(filters).order_by("-id")[:50].explain()

    assert f"auth_audit_auditentry_{month:%Y_%m}" in plan
    assert "default" not in plan
    assert "Index" in plan
    assert index in plan
    assert AuditEntry._meta.db_table in plan
