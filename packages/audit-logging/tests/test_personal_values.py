"""Personal values are encrypted under keys of their own. Dropping a key erases them, and breaks no proof."""

import io
import json
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client as Browser

from attacker import key, run, unguarded
from auth_audit import offline_verifier
from auth_audit.append import macs
from auth_audit.models import AuditEntry, PersonalKey
from auth_audit.personal.readable_entry import PersonalState, read_one
from auth_audit.seal.keys import trusted_keys
from auth_audit.storage import guards
from auth_audit.storage.personal_keys import drop_personal_keys
from auth_audit.testing.trail import readable, recorded, seal_everything
from auth_audit.verify.proofs import State, proof_of
from auth_audit.verify.verification import verify
from auth_core.events import AuthEvent, Event, EventName, Retention, Severity, catalogue, record, register_events
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client

pytestmark = pytest.mark.django_db(transaction=True)

KEYS = PersonalKey._meta.db_table
PATH = "/api/v1/audit/entries/"
HERE = Client(ip="192.0.2.77", network="192.0.2.77", user_agent="Canary/7.7 " + "x" * 600)
#: What must never be stored in clear, nor as a digest without a key.
CANARIES = ("192.0.2.77", "Canary", "alice@canary.example", "Alicia", "+41795550177")


def unrecorded(name: str) -> User:
    """Create a user in a way that leaves no entry."""
    User.objects.bulk_create([User(username=name)])
    return User.objects.get(username=name)


@pytest.fixture
def person() -> UUID:
    return identity_of(unrecorded("person")).subject_id


@pytest.fixture
def boss() -> Any:
    boss = unrecorded("boss")
    identity_of(boss)
    return boss


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> EventName:
    """An event with a personal and another value in its data."""
    monkeypatch.setattr(catalogue, "_entries", dict(catalogue.items()))

    @register_events
    class ShopEvent(EventName):
        """The events of a site."""

        SENT = ("shop.parcel.sent", "A parcel was sent.", Severity.INFO, Retention.SECURITY, ("kind",), ("phone",))

    return ShopEvent.SENT


def user_of(person: UUID) -> Any:
    return User.objects.get(auth_identity__subject_id=person)


def record_change(subject: Any, actor: Any = None, **changes: Any) -> AuditEntry:
    changes = changes or {"first_name": {"before": "Alice", "after": "Alicia"}, "is_staff": {"before": 0, "after": 1}}
    target = ("auth.user", str(subject.pk))
    record(
        Event(name=AuthEvent.EMAIL_VERIFIED, subject=subject, actor=actor, client=HERE, target=target, changes=changes)
    )
    return AuditEntry.objects.latest("id")


def stored_text() -> str:
    """Return everything that the tables of the trail hold, as text."""
    rows = []
    with connection.cursor() as cursor:
        for table in guards.PARTITIONED:
            cursor.execute(f"SELECT * FROM {table}")
            rows += cursor.fetchall()
    return str(rows)


def test_no_personal_value_is_stored_in_clear(person: UUID, sent: EventName) -> None:
    user = user_of(person)
    long = {"before": "x" * 600, "after": "alice@canary.example" * 40}
    record_change(user, email=long, first_name={"before": None, "after": "Alicia"})
    record_change(user, email={"before": [f"alice@canary.example{n}" for n in range(1500)], "after": []})
    record(Event(name=sent, subject=user, data={"kind": "sms", "phone": "+41795550177" * 100}))

    text, shown = stored_text(), str(readable())

    assert all(canary in shown for canary in CANARIES), "the test can see them"
    assert [canary for canary in CANARIES if canary in text] == []
    assert [digest for digest in digests_in(shown) if digest in text] == []


def digests_in(text: str) -> set[str]:
    digests = {part[:64] for part in text.split("'sha256': '")[1:]}
    assert len(digests) >= 4, "of both texts, the user agent, the phone number and the split changes"
    return digests


def test_names_of_changed_fields_booleans_and_references_stay_readable(person: UUID) -> None:
    entry = record_change(
        user_of(person),
        first_name={"before": "Alice", "after": "Alicia"},
        is_staff={"before": False, "after": True},
        groups={"before": [], "after": ["3"]},
        password={"before": "[hidden]", "after": "[hidden]"},
    )

    assert entry.changes == {
        "first_name": None,
        "is_staff": {"before": False, "after": True},
        "groups": {"added": ["3"], "removed": []},
        "password": {"before": "[hidden]", "after": "[hidden]"},
    }
    assert read_one(entry).changes["first_name"] == {"before": "Alice", "after": "Alicia"}


@pytest.mark.parametrize("kind", ["shop.order", "auth.nothing"])
def test_a_change_of_an_unknown_model_is_personal(kind: str, boss: Any) -> None:
    record(
        Event(
            name=AuthEvent.EMAIL_VERIFIED, actor=boss, target=(kind, "alice@example.org"), changes={"a": {"after": 1}}
        )
    )

    entry = AuditEntry.objects.latest("id")
    assert (entry.target_id, entry.changes) == ("", {"a": None})
    assert (read_one(entry).target_id, read_one(entry).changes) == ("alice@example.org", {"a": {"after": 1}})


def test_a_declared_key_of_data_is_personal(person: UUID, sent: EventName) -> None:
    record(Event(name=sent, subject=user_of(person), data={"kind": "sms", "phone": "+41795550177"}))

    (read,) = readable("shop.parcel.sent")
    assert read.entry.data == {"kind": "sms", "phone": None}
    assert read.data == {"kind": "sms", "phone": "+41795550177"}


def test_an_entry_without_personal_values_has_no_key(person: UUID) -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=user_of(person)))

    (read,) = readable("auth.email.verified")
    assert (read.personal, read.entry.personal) == (PersonalState.NONE, [])
    assert not PersonalKey.objects.exists()


def test_after_a_key_was_dropped_the_proofs_hold_and_the_values_are_gone(person: UUID, auditor: Browser) -> None:
    entry, other = record_change(user_of(person)), record_change(unrecorded("other"))
    seal_everything()
    before = auditor.get(f"{PATH}{entry.pk}/").json()
    found_before = auditor.get(f"{PATH}?network=192.0.2.77").json()["results"]

    assert drop_personal_keys(person=person) == 1

    after = auditor.get(f"{PATH}{entry.pk}/").json()
    assert (before["personal"], before["ip"]) == ("readable", "192.0.2.77")
    assert before["changes"]["first_name"]["after"] == "Alicia"
    assert (after["personal"], after["ip"], after["user_agent"]) == ("erased", None, None)
    assert after["changes"]["first_name"] is None
    assert after["bounds"] is None
    found = auditor.get(f"{PATH}?network=192.0.2.77").json()["results"]
    assert [body["id"] for body in found_before if body["name"] == entry.name] == [str(other.pk), str(entry.pk)]
    assert [body["id"] for body in found if body["name"] == entry.name] == [str(other.pk)]

    stored = AuditEntry.objects.get(pk=entry.pk)
    assert macs.verifies(stored)
    assert proof_of(stored).state is State.PROVEN
    result = verify()
    assert (result.findings, result.erased, result.sealed) == ([], 1, AuditEntry.objects.count())
    answer = auditor.post("/api/v1/audit/exports/", {"format": "jsonl"}, content_type="application/json")
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]  # a streaming response
    report = offline_verifier.verify_export(lines, trusted_keys())
    assert (report.problems, report.proven) == ([], result.sealed)
    by_id = {line["entry"]["id"]: line for line in map(json.loads, lines[1:])}
    assert (by_id[str(entry.pk)]["personal"], "ip" in by_id[str(entry.pk)]["readable"]) == ("erased", False)
    assert by_id[str(other.pk)]["readable"]["changes"]["first_name"]["after"] == "Alicia"


def test_the_values_of_an_administrator_and_of_a_person_have_different_keys(person: UUID, boss: Any) -> None:
    entry = record_change(user_of(person), actor=boss)
    boss_id = identity_of(boss).subject_id

    assert len(entry.personal) == 2
    drop_personal_keys(person=person)
    without_person = read_one(entry)
    assert (without_person.ip, without_person.changes["first_name"]) == ("192.0.2.77", None)
    assert without_person.personal is PersonalState.ERASED
    drop_personal_keys(person=boss_id)
    assert read_one(entry).ip is None

    entry = record_change(user_of(person), actor=boss)
    drop_personal_keys(person=boss_id)
    without_boss = read_one(entry)
    assert (without_boss.ip, without_boss.changes["first_name"]["after"]) == (None, "Alicia")


def test_a_csv_export_shows_personal_values_until_they_are_erased(person: UUID, auditor: Browser) -> None:
    record_change(user_of(person))

    def exported() -> str:
        body = {"format": "csv", "name": "auth.email.verified"}
        answer = auditor.post("/api/v1/audit/exports/", body, content_type="application/json")
        return b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]  # a streaming response

    before = exported()
    drop_personal_keys(person=person)
    after = exported()

    assert "192.0.2.77" in before
    assert "Alicia" in before
    assert '"readable"' in before
    assert "192.0.2.77" not in after
    assert "Alicia" not in after
    assert '"erased"' in after


def test_people_see_their_own_address_until_it_is_erased(alice: Any, signed_in: Any) -> None:
    browser = signed_in(alice)
    record(Event(name=AuthEvent.PASSWORD_CHANGED, subject=alice, client=HERE))

    before = browser.get("/api/v1/me/activity/").json()["results"][0]
    drop_personal_keys(person=alice.auth_identity.subject_id)
    after = browser.get("/api/v1/me/activity/").json()["results"][0]

    assert before["ip"] == "192.0.2.77"
    assert (after["ip"], after["user_agent"]) == (None, None)


def test_keys_are_wrapped_again_when_field_keys_are_rotated(person: UUID, settings: Any) -> None:
    entry = record_change(user_of(person))
    newer = {"newer": "b3RoZXItb25seS1vdGhlci1vbmx5LW90aGVyLTMyMzI"}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": newer | settings.AUTH_CORE["FIELD_KEYS"]}

    call_command("rotate_keys", "--fields", stdout=io.StringIO())

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT key FROM {KEYS}")
        assert {wrapped.split(".")[1] for (wrapped,) in cursor.fetchall()} == {"newer"}
    assert read_one(entry).ip == "192.0.2.77"
    assert verify().findings == []


@pytest.mark.asvs("16.4.2")
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {table}",
        "UPDATE {table} SET person_id = NULL",
        "UPDATE {table} SET address = NULL",
        "UPDATE {table} SET id = {other}",
        "UPDATE {table} SET key = 'x', person_id = NULL",
    ],
)
def test_the_table_of_keys_refuses_every_other_change(statement: str, person: UUID) -> None:
    record_change(user_of(person))
    other = "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        run(statement.format(table=KEYS, other=other))

    drop_personal_keys(person=UUID(int=1))
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        run(f"DELETE FROM {KEYS}")
    assert guards.missing() == []


@pytest.mark.asvs("16.4.2")
@pytest.mark.postgresql
def test_the_table_of_keys_refuses_truncate(person: UUID) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        run(f"TRUNCATE {KEYS}")


def test_a_failed_drop_changes_nothing(person: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    record_change(user_of(person))

    with pytest.raises(ZeroDivisionError), guards.dropping_keys("default"):
        run(f"DELETE FROM {KEYS}")
        _ = 1 / 0

    assert PersonalKey.objects.count() == 1
    assert guards.missing() == []
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        run(f"DELETE FROM {KEYS}")


@pytest.fixture
def trail_of_person(person: UUID) -> tuple[AuditEntry, AuditEntry]:
    """Two sealed entries."""
    entries = record_change(user_of(person)), record_change(unrecorded("other"))
    seal_everything()
    return entries


@pytest.mark.asvs("16.4.2")
@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("key = (SELECT key FROM {table} WHERE id = {other})", "do not match their key"),
        ("key = 'forged'", "do not match their key"),
        ("person_id = NULL", "belongs to another person"),
        ("person_id = (SELECT person_id FROM {table} WHERE id = {other})", "belongs to another person"),
        ("address = NULL", "digest of another address"),
    ],
)
def test_a_changed_key_is_a_finding(change: str, why: str, trail_of_person: tuple[AuditEntry, AuditEntry]) -> None:
    entry, other = trail_of_person
    mark = "%s" if "{other}" in change else ""
    with unguarded():
        changed = change.format(table=KEYS, other=mark)
        run(f"UPDATE {KEYS} SET {changed} WHERE id = %s", [*([key(other.pk)] if mark else []), key(entry.pk)])

    findings = verify().findings

    assert [(finding.entry, finding.first) for finding in findings] == [(entry.pk, 0)]
    assert why in findings[0].why


@pytest.mark.asvs("16.4.2")
def test_a_ciphertext_moved_to_another_entry_does_not_decrypt(trail_of_person: tuple[AuditEntry, AuditEntry]) -> None:
    entry, other = trail_of_person
    entry.personal = other.personal

    assert read_one(entry).personal is PersonalState.DAMAGED


@pytest.mark.parametrize("nonsense", ["v1.x", 7, {}, ["v2.a.b"], [None], ["v1.0190.b"]])
def test_a_value_that_is_no_ciphertext_is_damaged_and_raises_nothing(nonsense: Any, person: UUID) -> None:
    entry = record_change(user_of(person))
    entry.personal = nonsense

    assert read_one(entry).personal is PersonalState.DAMAGED


@pytest.mark.sqlite
def test_a_key_with_values_of_another_type_is_a_finding(trail_of_person: tuple[AuditEntry, AuditEntry]) -> None:
    with unguarded():
        run(f"UPDATE {KEYS} SET person_id = 'nobody' WHERE id = %s", [key(trail_of_person[0].pk)])

    assert [finding.entry for finding in verify().findings] == [trail_of_person[0].pk]


def test_the_command_counts_erased_entries(trail_of_person: tuple[AuditEntry, AuditEntry], person: UUID) -> None:
    out = io.StringIO()
    drop_personal_keys(person=person)

    call_command("audit_verify", stdout=out)

    assert "2 entries verified, 0 not yet sealed, 1 with erased personal values. No tampering found." in out.getvalue()


def test_a_rollback_removes_the_key(person: UUID) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record_change(user_of(person))
        _ = 1 / 0

    assert not PersonalKey.objects.exists()
    assert recorded() == []
