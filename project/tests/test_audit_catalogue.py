"""The page of events equals the declarations of the packages, and actions on the trail leave no gap."""

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client as Browser

from auth_audit.testing.trail import recorded
from auth_core.contracts import Transport
from auth_core.events import Event, EventName, catalogue, record
from auth_core.request.client import Client
from auth_core.request.context import Context, bound
from auth_core.testing.browsers import post
from auth_core.testing.factories import make_administrator
from auth_core.testing.gaps import assert_no_audit_gap
from auth_core.testing.sessions import sign_in

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference" / "events.md"

sys.path.insert(0, str(ROOT / "tools"))
from reference.events import render  # noqa: E402 - a tool is not an installed package


@pytest.mark.asvs("16.1.1")
def test_the_page_of_events_is_current() -> None:
    assert PAGE.read_text() == render(catalogue.values()), "run ./dev fix"


@pytest.mark.asvs("16.1.1")
def test_every_event_has_a_sentence_and_declares_personal_fields() -> None:
    for event in catalogue.values():
        assert event.sentence.endswith("."), event
        assert event.personal <= event.fields, event
        assert event.value.count(".") == 2, event


@pytest.mark.asvs("16.2.1")
@pytest.mark.asvs("16.2.2")
@pytest.mark.parametrize("name", sorted(catalogue.values()))
def test_every_entry_contains_who_where_what_and_when(name: EventName, alice: Any, auditor: Browser) -> None:
    client = Client(ip="192.0.2.1", network="192.0.2.1", user_agent="Firefox")
    with bound(Context(correlation_id="c" * 36)):
        record(Event(name=name, subject=alice, client=client, reason="why"))

    (entry,) = [entry for entry in recorded(str(name)) if entry.reason == "why"]
    shown = auditor.get(f"/api/v1/audit/entries/{entry.pk}/").json()

    assert (shown["name"], shown["outcome"], shown["reason"]) == (name.value, "success", "why")
    assert shown["subject"] == str(alice.auth_identity.subject_id)
    assert (shown["ip"], shown["user_agent"], shown["correlation_id"]) == ("192.0.2.1", "Firefox", "c" * 36)
    assert datetime.fromisoformat(shown["recorded_at"]).utcoffset() == timedelta(0)
    assert shown["recorded_at"].endswith("Z")


@pytest.fixture
def auditor(db: None) -> Browser:
    return sign_in(make_administrator("auditor@example.org"), assurance="aal2", transport=Transport.TOKEN)


@pytest.fixture
def boss(db: None) -> Browser:
    return sign_in(make_administrator("boss@example.org"), assurance="aal2")


@pytest.mark.django_db(transaction=True)
def test_an_export_of_the_trail_leaves_no_gap(boss: Browser) -> None:
    with assert_no_audit_gap():
        answer = post(boss, "audit/exports", format="csv")
        assert answer.status_code == 200
        boss.get("/api/v1/me/activity/")
    assert len(recorded("audit.export.created")) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("planted", [False, True], ids=["as it is", "with the middleware planted away"])
def test_changes_in_the_admin_are_recorded(planted: bool, boss: Browser, settings: Any) -> None:
    if planted:
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("auth_audit.")]

    boss.post("/admin/auth/group/add/", {"name": "editors"})
    group = Group.objects.get()

    targets = [(entry.target_kind, entry.target_id) for entry in recorded("audit.object.added")]
    assert targets == ([] if planted else [("auth.group", str(group.pk))])
