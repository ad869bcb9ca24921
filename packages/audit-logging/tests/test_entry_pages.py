"""A page of entries reads the keys of their personal values with the entries, and shows what each entry shows alone."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from attacker import key, run, unguarded
from auth_audit.models import AuditEntry, PersonalKey
from auth_audit.personal.readable_entry import read, with_keys
from auth_audit.storage.personal_keys import drop_personal_keys
from auth_core.events import AuthEvent, Event, record
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client

pytestmark = pytest.mark.django_db(transaction=True)

PATH = "/api/v1/audit/entries/"
HERE = Client(ip="192.0.2.77", network="192.0.2.77", user_agent="Canary/7.7")
ON_POSTGRESQL = connection.vendor == "postgresql"


@pytest.fixture
def boss() -> Any:
    return User.objects.create(username="boss")


def record_change(subject: Any, actor: Any = None) -> AuditEntry:
    """Record a change with personal values of *subject*, and of *actor* if there is one."""
    changes = {"first_name": {"before": "Alice", "after": "Alicia"}, "is_staff": {"before": 0, "after": 1}}
    target = ("auth.user", str(subject.pk))
    record(
        Event(name=AuthEvent.EMAIL_VERIFIED, subject=subject, actor=actor, client=HERE, target=target, changes=changes)
    )
    return AuditEntry.objects.latest("id")


def reads_of_keys(read_page: Any) -> int:
    """Return how many statements read only keys."""
    with CaptureQueriesContext(connection) as queries:
        read_page()
    return sum(f'FROM "{PersonalKey._meta.db_table}"' in query["sql"] for query in queries)


def test_a_page_shows_what_each_entry_shows_alone(auditor: Browser, alice: Any, boss: Any) -> None:
    changed = [record_change(alice), record_change(alice, boss), record_change(boss)]
    with unguarded():
        run(f"DELETE FROM {PersonalKey._meta.db_table} WHERE id = %s", [key(changed[2].pk)])

    page = auditor.get(PATH).json()["results"]

    assert [entry for entry in page if entry != auditor.get(f"{PATH}{entry['id']}/").json()] == []
    shown = {entry["id"]: (entry["personal"], entry["ip"]) for entry in page}
    assert [shown[str(entry.pk)] for entry in changed] == [("readable", HERE.ip)] * 2 + [("erased", None)]


def test_an_erasure_shows_on_the_next_page(auditor: Browser, alice: Any, boss: Any) -> None:
    entry = record_change(alice, boss)

    drop_personal_keys(person=identity_of(alice).subject_id)

    shown = next(each for each in auditor.get(PATH).json()["results"] if each["id"] == str(entry.pk))
    assert (shown["personal"], shown["changes"]["first_name"], shown["ip"]) == ("erased", None, HERE.ip)


@pytest.mark.postgresql
def test_a_key_of_another_entry_reads_nothing(alice: Any) -> None:
    first, second = record_change(alice), record_change(alice)
    with unguarded():
        keys = PersonalKey._meta.db_table
        run(f"UPDATE {keys} SET key = (SELECT key FROM {keys} WHERE id = %s) WHERE id = %s", [first.pk, second.pk])

    page = read(with_keys(AuditEntry.objects.filter(pk__in=[first.pk, second.pk])))

    assert [page[entry.pk].personal for entry in (first, second)] == ["readable", "damaged"]


def test_the_keys_of_a_page_take_no_query_of_their_own(auditor: Browser, alice: Any, boss: Any) -> None:
    for _n in range(5):
        record_change(alice)
    auditor.get(PATH)

    of_one_person = reads_of_keys(lambda: auditor.get(PATH))
    record_change(alice, boss)
    of_two_people = reads_of_keys(lambda: auditor.get(PATH))

    assert (of_one_person, of_two_people) == ((0, 1) if ON_POSTGRESQL else (1, 1))
