"""`adopt_users` makes the rows of everyone, names the addresses that it cannot adopt, and can run at any time."""

import io
import itertools
import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from auth_core.checks import check_addresses_are_indexed
from auth_core.flows.email_verification import resend_confirmation
from auth_core.models import EmailAddress, Identity
from auth_core.people import adoption, column_index, identifiers
from auth_core.people.address_rows import prove_address
from auth_core.people.addresses import parse
from auth_core.people.lookup import email_part, find_by_identifier, matching_users
from auth_core.people.user_columns import address_fields
from auth_core.request.client import Client
from auth_core.testing.browsers import log_in, new_browser
from auth_core.testing.parallel import at_once
from auth_core.testing.plans import unindexed
from guests.conftest import Make

pytestmark = pytest.mark.django_db

ALICE = "alice@example.org"


@pytest.fixture
def trust(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "TRUST_EXISTING_EMAILS": True}


def adopt(*options: str) -> tuple[dict[str, Any], str]:
    """Run the command. Return its report and its standard error."""
    out, err = io.StringIO(), io.StringIO()
    call_command("adopt_users", "--json", *options, stdout=out, stderr=err)
    return json.loads(out.getvalue()), err.getvalue()


def state() -> list[tuple[Any, ...]]:
    return [
        *Identity.objects.order_by("pk").values_list("pk", "user_id", "subject_id"),
        *EmailAddress.objects.order_by("pk").values_list(
            "pk", "user_id", "address", "key", "verified_at", "is_primary"
        ),
    ]


def test_everyone_gets_an_identity(make: Make) -> None:
    for name in ("alice", "bob", "carol"):
        make(name)

    report, errors = adopt("--batch-size", "2")

    assert Identity.objects.count() == 3
    assert EmailAddress.objects.count() == (3 if address_fields() else 0)
    assert (report["users"], report["identities"], errors) == (3, 3, "")
    assert report["without_address"] == 3 - report["addresses"]


def test_a_second_run_changes_nothing(make: Make) -> None:
    for name in ("alice", "bob", "carol"):
        make(name)
    adopt()
    before = state()

    report, _errors = adopt("--batch-size", "1")

    assert state() == before
    assert (report["users"], report["identities"], report["addresses"]) == (3, 0, 0)


def test_a_dry_run_writes_nothing(alice: Any) -> None:
    report, _errors = adopt("--dry-run")

    assert (report["dry_run"], report["identities"]) == (True, 1)
    assert state() == []


def test_a_run_continues_after_a_key(make: Make) -> None:
    users = sorted((make(name) for name in ("alice", "bob", "carol")), key=lambda user: user.pk)

    report, _errors = adopt("--after", str(users[0].pk))

    assert (report["users"], report["last"]) == (2, str(users[2].pk))


def test_an_invalid_key_or_size_is_refused(alice: Any) -> None:
    if not isinstance(alice.pk, str):
        with pytest.raises(CommandError, match="--after"):
            adopt("--after", "no key")
    with pytest.raises(CommandError):
        adopt("--batch-size", "0")


def test_the_progress_is_printed_without_an_address(alice: Any) -> None:
    out = io.StringIO()

    call_command("adopt_users", stdout=out)

    assert "1 of about 1 users" in out.getvalue()
    assert str(alice.pk) in out.getvalue()
    assert "example.org" not in out.getvalue()


@pytest.mark.addresses
def test_an_adopted_address_is_unverified_and_can_be_found(make: Make) -> None:
    alice = make("alice", "Alice@B\u00fccher.example")

    adopt()

    row = EmailAddress.objects.get()
    assert (row.key, row.address.lower(), row.is_primary, row.is_adopted, row.verified_at) == (
        "alice@xn--bcher-kva.example", "alice@xn--bcher-kva.example", True, True, None,
    )  # fmt: skip
    assert find_by_identifier("ALICE@b\u00fccher.example") == alice
    assert email_part(alice)["verified"] is False


@pytest.mark.addresses
def test_a_spelling_that_the_index_does_not_serve_is_found_after_the_adoption(make: Make) -> None:
    alice = make("alice", "alice@B\u00dcCHER.example")

    adopt()

    assert find_by_identifier("alice@b\u00fccher.example") == alice
    assert list(matching_users(ALICE)) == []


@pytest.mark.addresses
def test_an_invalid_address_is_named_by_its_key_and_kept(make: Make) -> None:
    alice = make("alice", "not an address")

    report, errors = adopt()

    assert report["not_adopted"] == {"invalid": 1, "shared": 0, "taken": 0}
    assert f"{get_user_model()._meta.label} {alice.pk}: invalid address." in errors
    assert "not an address" not in errors
    assert not EmailAddress.objects.exists()


@pytest.mark.addresses
def test_an_address_of_several_accounts_is_adopted_for_none(trust: None, make: Make) -> None:
    alice, bob = make("alice", ALICE), make("bob", "Alice@example.org")
    make("carol")

    report, errors = adopt("--batch-size", "1")

    assert report["not_adopted"] == {"invalid": 0, "shared": 2, "taken": 0}
    assert all(f"{user.pk}: address of several accounts." in errors for user in (alice, bob))
    assert [row.key for row in EmailAddress.objects.all()] == ["carol@example.org"]


@pytest.mark.addresses
def test_an_address_that_another_account_has_verified_is_not_adopted(alice: Any, make: Make) -> None:
    bob = make("bob", "other@example.org")
    EmailAddress.objects.create(user=bob, address=ALICE, key=ALICE, verified_at=timezone.now())

    report, _errors = adopt()

    assert report["not_adopted"]["taken"] == 1
    assert find_by_identifier(ALICE) == bob


@pytest.mark.addresses
def test_trusted_addresses_are_verified_as_long_as_the_column_has_them(trust: None, alice: Any) -> None:
    adopt()
    assert EmailAddress.objects.get().verified_at is not None
    setattr(alice, address_fields()[0].name, "other@example.org")
    alice.save()

    assert (find_by_identifier(ALICE), find_by_identifier("other@example.org")) == (None, alice)
    adopt()
    assert [(row.key, row.is_adopted) for row in EmailAddress.objects.all()] == [("other@example.org", True)]


@pytest.mark.addresses
def test_a_run_after_a_change_of_the_setting_follows_it(alice: Any, settings: Any) -> None:
    for is_trusted in (True, False):
        settings.AUTH_CORE = {**settings.AUTH_CORE, "TRUST_EXISTING_EMAILS": is_trusted}
        adopt()
        assert (EmailAddress.objects.get().verified_at is not None) == is_trusted


@pytest.mark.addresses
def test_the_address_that_another_person_left_is_adopted(alice: Any, make: Make) -> None:
    adopt()
    setattr(alice, address_fields()[0].name, "other@example.org")
    alice.save()
    bob = make("bob", ALICE)

    for _run in range(2):
        report, _errors = adopt()

    assert report["not_adopted"] == {"invalid": 0, "shared": 0, "taken": 0}
    assert dict(EmailAddress.objects.filter(is_primary=True).values_list("key", "user_id")) == {
        ALICE: bob.pk, "other@example.org": alice.pk,
    }  # fmt: skip


@pytest.mark.addresses
def test_a_proved_address_is_never_touched(alice: Any) -> None:
    proved = EmailAddress.objects.create(
        user=alice, address="x@example.org", key="x@example.org", is_primary=True, verified_at=timezone.now()
    )

    adopt()

    assert [row.pk for row in EmailAddress.objects.all()] == [proved.pk]


def test_the_number_of_statements_does_not_grow_with_the_users(make: Make) -> None:
    make("alice")
    with CaptureQueriesContext(connection) as one:
        list(adoption.adopt(batch_size=100))
    Identity.objects.all().delete()
    EmailAddress.objects.all().delete()
    for name in ("bob", "carol", "root"):
        make(name)
    with CaptureQueriesContext(connection) as four:
        list(adoption.adopt(batch_size=100))

    assert len(one) == len(four)


def test_a_user_who_is_deleted_during_the_adoption_does_not_stop_it(
    make: Make, monkeypatch: pytest.MonkeyPatch, transactional_db: None
) -> None:
    users = [make(name) for name in ("alice", "bob")]
    plan, calls = adoption._plan, itertools.count()

    def plan_and_delete(batch: Any) -> Any:
        planned = plan(batch)
        if not next(calls):
            get_user_model().objects.filter(pk=users[0].pk).delete()
        return planned

    monkeypatch.setattr(adoption, "_plan", plan_and_delete)

    adopt()

    assert [identity.user_id for identity in Identity.objects.all()] == [users[1].pk]


# --- The index ---------------------------------------------------------------------------


@pytest.mark.addresses
def test_migrate_creates_the_index_of_a_small_table() -> None:
    assert column_index.fields_without_index("default") == []


@pytest.mark.addresses
def test_the_command_creates_a_missing_index(transactional_db: None) -> None:
    (field,) = address_fields()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {column_index.index_name(field)}")
    assert column_index.fields_without_index("default") == [field]

    call_command("adopt_users", "--index-only", stdout=io.StringIO())

    assert column_index.fields_without_index("default") == []


@pytest.mark.addresses
def test_a_table_of_another_owner_is_named_with_the_statement(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    (field,) = address_fields()
    monkeypatch.setattr(column_index, "_is_valid", lambda _field, _alias: False)

    def refuse(_field: Any, _alias: str) -> None:
        raise DatabaseError("must be owner of table")

    monkeypatch.setattr(column_index, "create_index", refuse)

    with pytest.raises(CommandError, match=rf"CREATE INDEX .*{column_index.index_name(field)}"):
        adopt()


@pytest.mark.postgresql
@pytest.mark.addresses
def test_a_look_up_uses_indexes_only(alice: Any) -> None:
    assert unindexed(lambda: find_by_identifier(ALICE)) == []
    assert unindexed(lambda: list(matching_users(ALICE))) == []
    assert unindexed(lambda: find_by_identifier("a name")) == []


@pytest.mark.postgresql
@pytest.mark.addresses
def test_a_large_table_without_the_index_is_not_read(
    transactional_db: None, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = make("alice", "Alice@example.org")
    (field,) = address_fields()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX {column_index.index_name(field)}")
    assert find_by_identifier(ALICE) == alice
    assert check_addresses_are_indexed(databases=["default"]) == []

    monkeypatch.setattr(column_index, "SMALL_TABLE", 0)
    # The size is a part of the compiled statement.
    monkeypatch.setattr(identifiers, "_COMPILED", {})

    assert find_by_identifier(ALICE) is None
    assert [warning.id for warning in check_addresses_are_indexed(databases=["default"])] == ["auth_core.W005"]
    column_index.update_indexes("default")
    assert column_index.fields_without_index("default") == [field]
    adopt()
    assert find_by_identifier(ALICE) == alice
    assert check_addresses_are_indexed(databases=["default"]) == []


# --- At the same time ------------------------------------------------------------------------


@pytest.mark.postgresql
def test_people_sign_in_while_they_are_adopted(transactional_db: None, make: Make) -> None:
    users = [make(name) for name in ("alice", "bob", "carol")]
    names = [str(user.get_username()) for user in users]
    tasks = [lambda: adopt("--batch-size", "1"), adopt]
    tasks += [lambda name=name: log_in(new_browser(), identifier=name) for name in names]

    results = at_once(tasks)

    assert [getattr(result, "status_code", None) for result in results[2:]] == [200, 200, 200], results
    assert not any(isinstance(result, BaseException) for result in results)
    assert Identity.objects.count() == 3
    assert EmailAddress.objects.count() == (3 if address_fields() else 0)


@pytest.mark.postgresql
@pytest.mark.addresses
def test_two_first_uses_make_one_row(transactional_db: None, alice: Any) -> None:
    def resend() -> None:
        resend_confirmation(email=ALICE, client=Client(), browser_secret="")

    assert at_once([resend] * 4) == [None] * 4
    assert EmailAddress.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.shared
def test_of_two_accounts_that_prove_one_address_one_gets_it(transactional_db: None, alice: Any, make: Make) -> None:
    bob = make("bob", ALICE)

    def prove(user: Any) -> bool:
        with transaction.atomic():
            return prove_address(user=user, address=parse(ALICE))

    for _round in range(10):
        EmailAddress.objects.all().delete()
        results = at_once([lambda: prove(alice), lambda: prove(bob)])
        assert sorted(results) == [False, True], results
        assert EmailAddress.objects.filter(key=ALICE, verified_at__isnull=False).count() == 1
