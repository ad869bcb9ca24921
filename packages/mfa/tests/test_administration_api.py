"""Listing and reset of second factors by administrators over the API."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client as Browser

from auth_core.events import Event
from auth_core.people.lookup import identity_of
from auth_core.testing.browsers import code_of
from auth_core.testing.factories import PASSWORD
from auth_core.testing.sessions import sign_in
from auth_mfa.events import MfaEvent
from auth_mfa.factors import factors_of
from auth_mfa.testing.factors import NUMBER, add_mailbox, add_phone, add_recovery_codes, add_totp

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("captured_texts")]

LIST = "/api/v1/users/second-factors/"


def caller(*permissions: str) -> Browser:
    """Return the browser of a signed-in user with these permissions."""
    person = User.objects.create_user("caller", "caller@example.org", PASSWORD)
    person.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return sign_in(person)


def address_of(user: Any) -> str:
    return f"{LIST}{identity_of(user).subject_id}/"


@pytest.fixture
def equipped(alice: User) -> User:
    add_totp(alice)
    add_phone(alice)
    add_mailbox(alice)
    add_recovery_codes(alice)
    return alice


def test_factors_are_listed_with_hints_only(equipped: User) -> None:
    answer = caller("view_totpfactor").get(LIST, {"user": identity_of(equipped).subject_id})

    rows = {row["method"]: row for row in answer.json()["results"]}
    assert set(rows) == {"totp", "sms_code", "email_code", "recovery_code"}
    assert rows["sms_code"]["to"] == "•••• 67"
    assert rows["email_code"]["to"] == "a•••@example.org"
    assert rows["recovery_code"]["codes_left"] == 10
    assert rows["totp"].keys() == {"id", "method", "name", "created_at", "last_used_at", "to", "is_exhausted"}
    assert NUMBER not in answer.content.decode()
    assert "alice@example.org" not in answer.content.decode()


def test_only_the_named_users_factors_are_listed(equipped: User) -> None:
    bob = User.objects.create_user("bob", "bob@example.org", PASSWORD)
    browser = caller("view_totpfactor")

    for subject in (identity_of(bob).subject_id, uuid4()):
        assert browser.get(LIST, {"user": subject}).json()["results"] == []


@pytest.mark.parametrize("query", [{}, {"user": "alice"}, {"user": str(uuid4()), "all": "1"}])
def test_a_list_without_a_user_is_refused(query: dict[str, str], equipped: User) -> None:
    assert code_of(caller("view_totpfactor").get(LIST, query)) == "invalid_request"


def test_a_reset_removes_all_factors_and_is_recorded(equipped: User, recorded_events: list[Event]) -> None:
    browser = caller("reset_factors")

    answer = browser.delete(address_of(equipped))

    assert answer.status_code == 204
    assert factors_of(equipped) == []
    (event,) = [event for event in recorded_events if event.name is MfaEvent.FACTORS_RESET]
    assert (event.subject, event.actor.username, event.reason) == (equipped, "caller", "administrator")
    assert event.client is not None


def test_an_unknown_user_is_not_found(db: None) -> None:
    assert caller("reset_factors").delete(f"{LIST}{uuid4()}/").status_code == 404


def test_administrators_cannot_reset_themselves(db: None) -> None:
    browser = caller("reset_factors")
    person = User.objects.get(username="caller")
    add_totp(person)

    refused = browser.delete(address_of(person))

    assert (refused.status_code, code_of(refused)) == (403, "permission_denied")
    assert len(factors_of(person)) == 1


def test_each_view_needs_its_own_permission(equipped: User) -> None:
    may_see = caller("view_totpfactor", "change_totpfactor", "delete_totpfactor", "change_factorhistory")
    refused = may_see.delete(address_of(equipped))
    User.objects.get(username="caller").delete()
    may_reset = caller("reset_factors")

    assert refused.status_code == 403
    assert may_reset.get(LIST, {"user": identity_of(equipped).subject_id}).status_code == 403
    assert Browser().get(LIST).status_code == 401
    assert Browser().delete(address_of(equipped)).status_code in (401, 403)
    assert len(factors_of(equipped)) == 4
