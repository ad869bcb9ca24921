"""What is recorded, and when nothing is recorded."""

import threading
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from auth_audit.models import AuditEntry, PersonalKey
from auth_audit.personal.readable_entry import read_one
from auth_audit.testing.trail import readable, recorded
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client
from auth_core.request.context import Context, bound
from auth_core.testing.browsers import log_in
from auth_core.testing.parallel import at_once, tally

pytestmark = pytest.mark.django_db


def identified(name: str) -> Any:
    user = User.objects.create_user(name)
    identity_of(user)
    return user


@pytest.mark.asvs("16.2.1")
def test_an_entry_records_who_what_where_and_when(alice: Any) -> None:
    session, application = uuid4(), uuid4()
    client = Client(ip="192.0.2.1", network="192.0.2.1", user_agent="Firefox")

    with bound(Context(correlation_id="c" * 36, client_request_id="theirs-12345")):
        record(
            Event(
                name=AuthEvent.LOGIN_FAILED,
                subject=alice,
                session=session,
                application=application,
                outcome=EventOutcome.FAILURE,
                reason="password",
                target=("session", str(session)),
                client=client,
                data={"purpose": "login"},
            )
        )

    entry = recorded("auth.login.failed")[0]
    assert entry.subject_id == alice.auth_identity.subject_id
    assert entry.actor_id is None
    assert (entry.session_id, entry.application_id) == (session, application)
    assert (entry.outcome, entry.reason, entry.severity) == ("failure", "password", "notice")
    assert entry.retention == "security"
    assert (entry.target_kind, entry.target_id) == ("session", str(session))
    assert entry.data == {"purpose": "login"}
    read = read_one(entry)
    assert (read.ip, read.network, read.user_agent) == ("192.0.2.1", "192.0.2.1", "Firefox")
    assert (entry.correlation_id, entry.client_request_id) == ("c" * 36, "theirs-12345")


def test_an_entry_records_changes_and_on_behalf_of(alice: Any) -> None:
    helper = User.objects.create_user("helper")
    record(
        Event(
            name=AuthEvent.EMAIL_VERIFIED,
            actor=helper,
            on_behalf_of=alice,
            changes={"address": {"before": "a@example.org", "after": "b@example.org"}},
        )
    )

    entry = recorded("auth.email.verified")[0]
    assert (entry.subject_id, entry.on_behalf_of) == (None, alice.auth_identity.subject_id)
    assert entry.changes["address"]["after"] == "b@example.org"


def test_users_are_identified_by_their_public_id(alice: Any) -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice, actor=alice))

    entry = recorded("auth.email.verified")[0]
    assert entry.subject_id == entry.actor_id == alice.auth_identity.subject_id != alice.pk


@pytest.mark.asvs("16.2.2")
@pytest.mark.postgresql
def test_the_database_sets_time_and_transaction(alice: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        (current,) = cursor.fetchone()

    record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice))

    entry = recorded("auth.email.verified")[0]
    assert entry.transaction_id == current
    assert entry.recorded_at.utcoffset().total_seconds() == 0


@pytest.mark.asvs("16.2.2")
@pytest.mark.postgresql
@pytest.mark.parametrize(
    ("column", "forged", "check"),
    [
        ("recorded_at", "1999-06-01T12:00:00Z", "recorded_at BETWEEN now() AND clock_timestamp()"),
        ("transaction_id", "7", "transaction_id = pg_current_xact_id()::text::bigint"),
    ],
)
def test_an_insert_cannot_choose_time_or_transaction(column: str, forged: str, check: str) -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED))
    columns = ", ".join(f.column for f in AuditEntry._meta.fields if f.column not in ("id", column))

    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO auth_audit_auditentry (id, {column}, {columns})"
            f" SELECT gen_random_uuid(), %s, {columns} FROM auth_audit_auditentry"
            f" RETURNING {column}::text, {check}",
            [forged],
        )
        (stored, is_correct), *others = cursor.fetchall()

    assert is_correct, f"The database stored {stored}."
    assert others == []


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_an_entry_is_committed_at_once(alice: Any) -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice))
    connection.close()  # discards everything that is not committed

    assert recorded("auth.email.verified")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("client", "has_actor", "inserts"),
    [(Client(), False, 1), (Client(ip="192.0.2.1"), False, 2), (Client(ip="192.0.2.1"), True, 3)],
    ids=["nothing personal", "an address", "values of two persons"],
)
def test_appending_an_entry_is_one_statement(client: Client, has_actor: bool, inserts: int, alice: Any) -> None:
    """SQLite needs one for each row, which costs no round trip."""
    actor = identified("helper") if has_actor else None
    assert alice.auth_identity
    changes = {"first_name": {"before": "", "after": "Alice"}} if has_actor else {}
    event = Event(
        name=AuthEvent.EMAIL_VERIFIED, subject=alice, actor=actor, client=client, target=("auth.user", "1"),
        changes=changes,
    )  # fmt: skip

    with CaptureQueriesContext(connection) as queries:
        record(event)

    verbs = [query["sql"].split()[0] for query in queries if query["sql"].split()[0] not in ("BEGIN", "COMMIT")]
    if connection.vendor == "postgresql":
        assert verbs == ["INSERT" if inserts == 1 else "WITH"]
    else:
        assert verbs == ["INSERT"] * inserts
    assert PersonalKey.objects.count() == inserts - 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("share_a_lock", [False, True], ids=["as it is", "with a planted lock"])
def test_two_writers_do_not_wait_for_each_other(share_a_lock: bool) -> None:
    both_have_written = threading.Barrier(2, timeout=2 if share_a_lock else 60)

    def write() -> None:
        with transaction.atomic():
            if share_a_lock:
                connection.cursor().execute("SELECT pg_advisory_xact_lock(7)")
            record(Event(name=AuthEvent.EMAIL_VERIFIED))
            both_have_written.wait()

    results = at_once([write, write])

    assert len(recorded()) == (0 if share_a_lock else 2)
    assert tally(results) == ({"BrokenBarrierError": 2} if share_a_lock else {"NoneType": 2})


@pytest.mark.django_db(transaction=True)
def test_a_rollback_removes_the_entry(alice: Any) -> None:
    before = len(recorded())

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice))
        _ = 1 / 0

    assert len(recorded()) == before


@pytest.mark.asvs("16.5.3")
@pytest.mark.asvs("2.3.3")
def test_a_change_that_cannot_be_recorded_is_rolled_back(alice: Any, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {}}

    with pytest.raises(Exception, match="FIELD_KEYS"), transaction.atomic():
        User.objects.filter(pk=alice.pk).update(first_name="Mallory")
        record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice))

    alice.refresh_from_db()
    assert alice.first_name == ""


def test_a_change_is_rolled_back_without_the_table(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AuditEntry._meta, "db_table", "no_such_table")

    with pytest.raises(DatabaseError), transaction.atomic():
        User.objects.filter(pk=alice.pk).update(first_name="Mallory")
        record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice))

    alice.refresh_from_db()
    assert alice.first_name == ""


@pytest.mark.asvs("16.3.1")
def test_a_wrong_password_is_recorded(alice: Any) -> None:
    log_in(Browser(HTTP_USER_AGENT="curl"), password="not the password at all", transport="cookie")

    entry = recorded("auth.login.failed")[0]
    read = read_one(entry)
    assert (entry.reason, read.ip, read.user_agent) == ("password", "127.0.0.1", "curl")
    assert entry.subject_id == alice.auth_identity.subject_id


@pytest.mark.asvs("16.2.5")
def test_an_unknown_identifier_is_not_recorded(db: None) -> None:
    log_in(Browser(), identifier="hunter2hunter2", password="not the password at all", transport="cookie")

    assert recorded("auth.login.failed")[0].subject_id is None
    assert "hunter2" not in str(list(AuditEntry.objects.values()))


@pytest.mark.asvs("16.4.1")
@pytest.mark.parametrize("text", ["a\x00b", "\x1b[31mred", "x" * 1_000, "\ud800"])
def test_unusual_text_is_never_refused_by_the_table(text: str) -> None:
    client = Client(ip="fe80::1%eth0", network=text, user_agent=text)

    with bound(Context(correlation_id=text, client_request_id=text)):
        record(Event(name=AuthEvent.LOGIN_CHALLENGED, client=client, reason=text, target=(text, text)))

    entry = recorded("auth.login.challenged")[0]
    entry.full_clean(exclude=["changes"], validate_unique=False)
    assert read_one(entry).ip == "fe80::1"
    assert entry.target_id.isprintable()
    assert entry.target_id[:1] in (text[0], "\\")


@pytest.mark.asvs("16.4.1")
@pytest.mark.parametrize("text", ["a\r\nb", "\x1b[31mred", '","forged":"', "\u202eevil", "x" * 100_000, "\x00"])
def test_text_from_outside_is_escaped_and_truncated(text: str, alice: Any) -> None:
    log_in(Browser(HTTP_USER_AGENT=text), password="not the password at all", transport="cookie")
    record(Event(name=AuthEvent.LOGIN_CHALLENGED, data={"kind": text}))

    agent = readable("auth.login.failed")[0].user_agent or ""
    kind = recorded("auth.login.challenged")[0].data["kind"]
    assert all(kept.isprintable() and len(kept) <= 512 for kept in (agent, kind))
