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

from auth_audit.api.serializers import EntryFilters
from auth_audit.models import AuditEntry
from auth_audit.search import search
from auth_core.events import AuthEvent, Event, record

pytestmark = pytest.mark.django_db

PATH = "/api/v1/audit/entries/"


def test_an_auditor_reads_it(auditor: Browser, alice: Any) -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice))

    page = auditor.get(PATH).json()

    newest = page["results"][0]
    assert newest["name"] == "auth.email.verified"
    assert newest["subject"] == str(alice.auth_identity.subject_id)
    assert auditor.get(f"{PATH}{newest['id']}/").json() == newest
    assert set(page) == {"next", "previous", "results"}


def test_nobody_reads_it(db: None) -> None:
    assert Browser().get(PATH).status_code == 401


@pytest.mark.parametrize("is_staff", [True, False])
def test_being_staff_is_not_enough(is_staff: bool, alice: Any) -> None:
    alice.is_staff = is_staff
    alice.save()
    browser = Browser()
    browser.force_login(alice, backend="auth_core.backends.IdentifierBackend")

    assert browser.get(PATH).status_code == 403


def test_it_is_filtered(auditor: Browser, alice: Any) -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice, reason="here"))
    subject = alice.auth_identity.subject_id
    tomorrow = quote((timezone.now() + timedelta(days=1)).isoformat())

    def found(query: str) -> int:
        return len(auditor.get(f"{PATH}?{query}").json()["results"])

    assert found(f"subject={subject}&name=auth.email.verified") == 1
    assert found("name=auth.email.verified&outcome=failure") == 0
    assert found(f"subject={subject}&until={tomorrow}") == 2
    assert found(f"since={tomorrow}") == 0


def test_a_page_goes_on_where_the_last_one_ended(auditor: Browser) -> None:
    for _number in range(4):
        record(Event(name=AuthEvent.EMAIL_VERIFIED))
    first = auditor.get(f"{PATH}?name=auth.email.verified&page_size=3").json()
    record(Event(name=AuthEvent.EMAIL_VERIFIED))

    second = auditor.get(first["next"]).json()

    ids = [entry["id"] for page in (first, second) for entry in page["results"]]
    assert len(ids) == 4
    assert ids == sorted(ids, reverse=True)
    assert second["next"] is None


def test_a_page_is_not_counted(auditor: Browser) -> None:
    with CaptureQueriesContext(connection) as queries:
        auditor.get(PATH)

    assert not any("COUNT(" in query["sql"] for query in queries)


@pytest.mark.parametrize(("query", "is_found"), [("since", True), ("until", False)])
@pytest.mark.parametrize("moment", ["0002-01-01T00:00:00Z", "1969-12-31T23:59:59Z"])
def test_time_before_the_first_id_can_be_asked(moment: str, query: str, is_found: bool, auditor: Browser) -> None:
    page = auditor.get(f"{PATH}?{query}={moment}")

    assert page.status_code == 200
    assert bool(page.json()["results"]) == is_found


def test_since_is_inclusive_and_until_exclusive(auditor: Browser) -> None:
    with time_machine.travel(1_790_000_000, tick=False):
        record(Event(name=AuthEvent.EMAIL_VERIFIED))

    def found(query: str) -> int:
        return len(auditor.get(f"{PATH}?name=auth.email.verified&{query}").json()["results"])

    moment, next_second = "2026-09-21T14:13:20Z", "2026-09-21T14:13:21Z"
    assert found(f"since={moment}&until={next_second}") == 1
    assert found(f"until={moment}") == 0
    assert found(f"since={next_second}&until=2026-10-01T00:00:00Z") == 0


@pytest.mark.parametrize("query", ["colour=red", "subject=alice", "outcome=maybe", "since=yesterday", "name=a&name=b"])
@pytest.mark.asvs("15.3.7")
def test_an_unknown_or_broken_filter_is_refused(query: str, auditor: Browser) -> None:
    refused = auditor.get(f"{PATH}?{query}")

    assert refused.status_code == 400
    assert refused.json()["code"] == "invalid_request"


def test_an_entry_that_there_is_not_is_not_found(auditor: Browser) -> None:
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
def test_the_plan_of_a_month_is_indexed_and_pruned(query: dict[str, str], index: str) -> None:
    month = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    within = {"since": month.isoformat(), "until": (month + timedelta(days=27)).isoformat()}
    filters = EntryFilters._checked({**query, **within})
    with connection.cursor() as cursor:
        # The tables of a test are so small that reading them whole is cheapest.
        cursor.execute("SET LOCAL enable_seqscan = off")

    plan = search(filters).order_by("-id")[:50].explain()

    assert f"auth_audit_auditentry_{month:%Y_%m}" in plan
    assert "default" not in plan
    assert "Index" in plan
    assert index in plan
    assert AuditEntry._meta.db_table in plan
