"""The trail in the admin site is read-only."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from attacker import ENTRIES, key, run, unguarded
from auth_audit import admin
from auth_audit.admin import AuditEntryAdmin
from auth_audit.models import AuditEntry, PersonalKey
from auth_audit.seal import sealer
from auth_audit.storage.personal_keys import drop_personal_keys
from auth_core.events import AuthEvent, Event, record
from auth_core.request.client import Client
from auth_core.testing.plans import unindexed

pytestmark = pytest.mark.django_db

LIST = "/admin/auth_audit/auditentry/"


@pytest.fixture
def officer(auditor: Browser) -> Browser:
    """The browser of a user who may read the trail and use the admin site."""
    User.objects.filter(email="auditor@example.org").update(is_staff=True)
    return auditor


@pytest.fixture
def entry(alice: Any) -> AuditEntry:
    """An entry that a search of each column finds."""
    client = Client(ip="2001:db8::1", network="2001:db8::/64")
    record(Event(name=AuthEvent.PASSWORD_CHANGED, subject=alice, session=uuid4(), client=client))
    return AuditEntry.objects.latest("id")


def search_results(browser: Browser, term: Any) -> list[AuditEntry]:
    page = browser.get(LIST, {"q": term})
    assert page.status_code == 200
    return list(page.context["cl"].result_list)


def test_the_list_shows_whether_entries_are_genuine(officer: Browser, entry: AuditEntry) -> None:
    page = officer.get(LIST).content.decode()

    assert "auth.password.changed" in page
    assert "icon-yes" in page
    assert "icon-no" not in page


def test_an_entry_is_shown_and_cannot_be_edited(officer: Browser, entry: AuditEntry) -> None:
    address = reverse("admin:auth_audit_auditentry_change", args=[entry.pk])

    page = officer.get(address)
    posted = officer.post(address, {"reason": "forged"})

    assert page.status_code == 200
    assert b'<input type="submit"' not in page.content
    assert posted.status_code == 403


def test_an_entry_is_shown_with_its_proof(officer: Browser, entry: AuditEntry) -> None:
    address = reverse("admin:auth_audit_auditentry_change", args=[entry.pk])
    waiting = officer.get(address).content.decode()
    sealer.seal()
    proven = officer.get(address).content.decode()
    with unguarded():
        run(f"UPDATE {ENTRIES} SET reason = 'forged' WHERE id = %s", [key(entry.pk)])
    tampered = officer.get(address).content.decode()

    assert "Not sealed yet." in waiting
    assert "Verified. The entry matches its seal." in proven
    assert "&quot;signature&quot;" in proven
    assert "TAMPERED WITH." in tampered


@pytest.mark.parametrize("page", ["add", "delete"])
def test_entries_cannot_be_added_or_deleted(page: str, officer: Browser, entry: AuditEntry) -> None:
    address = reverse(f"admin:auth_audit_auditentry_{page}", args=[] if page == "add" else [entry.pk])

    assert officer.post(address, {"post": "yes"}).status_code == 403
    assert b"delete_selected" not in officer.get(LIST).content


@pytest.mark.parametrize("column", ["name", "subject_id", "session_id", "correlation_id", "id"])
def test_an_entry_is_found_by_each_column(column: str, officer: Browser, entry: AuditEntry) -> None:
    assert entry in search_results(officer, getattr(entry, column))


@pytest.mark.parametrize("term", ["2001:db8::1", "2001:db8:0:0::/64", "2001:0DB8::0001"])
def test_an_entry_is_found_by_its_address_and_network(term: str, officer: Browser, entry: AuditEntry) -> None:
    assert search_results(officer, term) == [entry]


def test_the_list_reads_all_personal_values_with_one_query(officer: Browser) -> None:
    for number in range(5):
        record(Event(name=AuthEvent.EMAIL_VERIFIED, client=Client(ip=f"192.0.2.{number}")))

    with CaptureQueriesContext(connection) as queries:
        page = officer.get(LIST).content.decode()

    assert all(f"192.0.2.{number}" in page for number in range(5))
    assert len([query for query in queries if PersonalKey._meta.db_table in query["sql"]]) == 1


def test_personal_values_are_shown_until_their_key_is_dropped(officer: Browser, entry: AuditEntry, alice: Any) -> None:
    address = reverse("admin:auth_audit_auditentry_change", args=[entry.pk])
    before = officer.get(address).content.decode()

    drop_personal_keys(person=alice.auth_identity.subject_id)
    after = officer.get(address).content.decode()

    assert "2001:db8::1" in before
    assert "Readable." in before
    assert "2001:db8::1" not in after
    assert "Erased. Their key was dropped." in after


@pytest.mark.parametrize("term", ["nobody", "1", "192.0.2.1", "x" * 10_000, "'; --", "%", "192.0.0.0/2", "::/65"])
def test_a_search_without_match_is_empty(term: str, officer: Browser, entry: AuditEntry) -> None:
    assert search_results(officer, term) == []


@pytest.mark.parametrize(("query", "count"), [("severity=notice", 1), ("severity=alert", 0), ("outcome=success", 1)])
def test_filters_do_not_read_the_whole_table(query: str, count: int, officer: Browser, entry: AuditEntry) -> None:
    with CaptureQueriesContext(connection) as queries:
        page = officer.get(f"{LIST}?{query}&q=auth.password.changed")

    assert len(page.context["cl"].result_list) == count
    assert not any("DISTINCT" in executed["sql"] for executed in queries)


def test_the_count_of_a_list_is_limited(officer: Browser, entry: AuditEntry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admin, "_COUNT_LIMIT", 1)
    record(Event(name=AuthEvent.EMAIL_VERIFIED))

    page = officer.get(LIST)

    assert page.context["cl"].result_count == 1


@pytest.mark.postgresql
@pytest.mark.parametrize("term", ["auth.password.changed", "01900000-0000-7000-8000-000000000000", "192.0.2.1"])
def test_a_search_uses_an_index(term: str, rf: Any) -> None:
    shown = AuditEntryAdmin(AuditEntry, admin.admin.site)

    def search() -> None:
        entries, _distinct = shown.get_search_results(rf.get(LIST), AuditEntry.objects.all(), term)
        list(entries.order_by("-id")[:50])

    assert unindexed(search) == []
