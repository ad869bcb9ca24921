"""Accounts: one for each address, found by every spelling of it."""

import io
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.utils import timezone

from auth_core.errors import InvalidRequest
from auth_core.flows.account_creation import create_account
from auth_core.models import EmailAddress
from auth_core.people import lookup
from auth_core.people.lookup import find_by_identifier, profile_of
from auth_core.testing.factories import PASSWORD

pytestmark = pytest.mark.django_db


def test_every_spelling_finds_the_user_with_one_query(alice: Any, django_assert_num_queries: Any) -> None:
    for spelling in ("alice@example.org", "ALICE@Example.org", " alice@example.org"):
        with django_assert_num_queries(1):
            assert find_by_identifier(spelling) == alice


def test_an_unknown_identifier_costs_one_query(alice: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        assert find_by_identifier("nobody@example.org") is None
    with django_assert_num_queries(1):
        assert find_by_identifier("no address at all") is None


@pytest.mark.parametrize("spelling", ["alice@example.org", "Alice@EXAMPLE.org"])
def test_an_address_is_taken_once(spelling: str, alice: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        create_account(email=spelling, password=PASSWORD)

    assert [error.code for error in refused.value.errors] == ["taken"]


def test_a_verified_second_address_is_taken(alice: Any) -> None:
    second = {"address": "second@example.org", "key": "second@example.org"}
    EmailAddress.objects.create(user=alice, verified_at=timezone.now(), **second)

    with pytest.raises(InvalidRequest):
        create_account(email="second@example.org", password=PASSWORD)
    assert find_by_identifier("second@example.org") == alice


def test_an_unverified_address_does_not_block_a_new_account(alice: Any) -> None:
    EmailAddress.objects.create(user=alice, address="bob@example.org", key="bob@example.org")

    bob = create_account(email="bob@example.org", password=PASSWORD)

    assert find_by_identifier("bob@example.org") == bob


def test_createsuperuser_creates_a_user_who_can_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command("createsuperuser", "--no-input", "--email", "Root@Example.org", stdout=io.StringIO())

    root = find_by_identifier("root@example.org")
    assert root.is_superuser
    assert root.check_password(PASSWORD)


def test_a_natural_key_that_is_not_an_address_finds_no_user(alice: Any) -> None:
    model = get_user_model()

    with pytest.raises(model.DoesNotExist):
        model.objects.get_by_natural_key("alice")


def test_an_identity_is_created_once(alice: Any) -> None:
    first = lookup.identity_of(alice)

    assert lookup.identity_of(get_user_model().objects.get()) == first
    assert lookup.find_by_subject_id(first.subject_id) == alice


def test_a_profile_has_only_the_documented_keys(alice: Any) -> None:
    assert set(profile_of(alice)) == {
        "id", "email", "email_verified", "username", "display_name", "locale", "timezone", "created_at",
        "second_factors",
    }  # fmt: skip
