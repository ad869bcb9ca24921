"""People sign in and reset their password by the address in their column, and a verified address of another one wins."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from auth_core.flows.email_verification import resend_confirmation, verify_email
from auth_core.flows.password_reset import request_reset
from auth_core.messages.security_notices import addresses_of
from auth_core.models import EmailAddress, ResetLink
from auth_core.people.identifiers import MAX_MATCHES
from auth_core.people.lookup import email_part, find_by_identifier, matching_users
from auth_core.people.user_columns import address_fields
from auth_core.request.client import Client
from auth_core.testing.browsers import code_of, log_in, new_browser, post
from auth_core.testing.counts import counted
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import delivered, the_mail, token_in
from guests.conftest import Make

pytestmark = [pytest.mark.django_db, pytest.mark.addresses]

ALICE, NEW, OTHER = "alice@example.org", "another battery horse staple", "other@example.org"


def set_column(user: Any, email: str) -> None:
    """Change the address as a form of the site does, without a function of auth_core."""
    setattr(user, address_fields()[0].name, email)
    user.save()


def verify(user: Any, email: str) -> EmailAddress:
    """Verify *email* of *user*, as a link does."""
    return EmailAddress.objects.create(user=user, address=email, key=email.lower(), verified_at=timezone.now())


def forgot(email: str = ALICE) -> list[list[str]]:
    """Request a reset. Return the recipients of the mails with a link."""
    assert post(new_browser(), "password/forgot", email=email).status_code == 202
    return [message.to for message in delivered() if "elr_" in message.body]


def reset(token: str) -> Any:
    return post(new_browser(), "password/reset", token=token, password=NEW)


@pytest.mark.parametrize("typed", [ALICE, "ALICE@EXAMPLE.ORG", " alice@Example.org"])
def test_the_address_in_the_column_signs_in(typed: str, alice: Any) -> None:
    assert log_in(new_browser(), identifier=typed).status_code == 200


@pytest.mark.parametrize("stored", ["Alice@Example.ORG", "alice@EXAMPLE.org"])
def test_an_address_that_was_stored_in_another_case_signs_in(stored: str, make: Make) -> None:
    make("alice", stored)

    assert log_in(new_browser(), identifier=ALICE).status_code == 200
    assert forgot()[0][0].lower() == ALICE


@pytest.mark.parametrize("stored", ["alice@b\u00fccher.example", "Alice@xn--bcher-kva.example"])
def test_both_spellings_of_a_domain_are_one_address(stored: str, make: Make) -> None:
    make("alice", stored)

    for typed in ("alice@b\u00fccher.example", "alice@B\u00dcCHER.example", "ALICE@xn--bcher-kva.example"):
        assert log_in(new_browser(), identifier=typed).status_code == 200
    assert forgot("alice@b\u00fccher.example")[0][0].lower() == "alice@xn--bcher-kva.example"


@pytest.mark.parametrize("stored", ["\u212aate@example.org", "\uff41lice@example.org", "stra\u00dfe@example.org"])
def test_a_look_alike_in_a_column_names_no_one(stored: str, make: Make) -> None:
    make("alice", stored)

    for typed in ("kate@example.org", ALICE, "strasse@example.org"):
        assert find_by_identifier(typed) is None
        assert forgot(typed) == []


def test_a_reset_goes_to_the_stored_address_and_verifies_it(alice: Any) -> None:
    assert email_part(alice) == {"address": ALICE, "verified": False}
    post(new_browser(), "password/forgot", email="ALICE@example.org")
    message = the_mail()
    assert message.to == [ALICE]

    assert reset(token_in(message)).status_code == 200

    assert log_in(new_browser(), identifier=ALICE, password=NEW).status_code == 200
    row = EmailAddress.objects.get()
    assert (row.user, row.key, row.is_primary, row.is_adopted) == (alice, ALICE, True, False)
    assert row.verified_at is not None
    assert email_part(get_user_model().objects.get()) == {"address": ALICE, "verified": True}


def test_a_confirmation_verifies_the_address(alice: Any) -> None:
    for _time in range(2):
        resend_confirmation(email=ALICE, client=Client(), browser_secret="")
    assert EmailAddress.objects.count() == 1

    verify_email(token=token_in(delivered()[-1]), client=Client())

    assert EmailAddress.objects.get().is_proved
    resend_confirmation(email=ALICE, client=Client(), browser_secret="")
    assert delivered() == []


def test_a_reset_link_is_invalid_after_the_column_changed(alice: Any) -> None:
    post(new_browser(), "password/forgot", email=ALICE)
    token = token_in(the_mail())

    set_column(alice, OTHER)

    assert code_of(reset(token)) == "link_invalid"


def test_a_confirmation_is_invalid_after_the_column_changed(alice: Any) -> None:
    post(new_browser(), "email/resend", email=ALICE)
    token = token_in(the_mail())
    set_column(alice, OTHER)

    assert code_of(post(new_browser(), "email/verify", token=token)) == "link_invalid"


# --- A changed column ------------------------------------------------------------


@pytest.mark.parametrize("is_adopted", [True, False])
def test_after_a_change_the_new_address_counts_and_the_old_one_does_not(is_adopted: bool, alice: Any) -> None:
    if is_adopted:
        post(new_browser(), "email/resend", email=ALICE)
        delivered()
        assert EmailAddress.objects.get().is_adopted

    set_column(alice, OTHER)

    assert find_by_identifier(ALICE) is None
    assert find_by_identifier(OTHER) == alice
    assert (forgot(ALICE), forgot(OTHER)) == ([], [[OTHER]])
    assert addresses_of(alice) == [OTHER]
    assert email_part(get_user_model().objects.get()) == {"address": OTHER, "verified": False}


def test_a_verified_address_still_counts_after_a_change(alice: Any) -> None:
    post(new_browser(), "password/forgot", email=ALICE)
    reset(token_in(the_mail()))
    delivered()

    set_column(alice, OTHER)

    assert find_by_identifier(ALICE) == find_by_identifier(OTHER) == alice
    assert (forgot(ALICE), forgot(OTHER)) == ([[ALICE]], [[OTHER]])
    assert addresses_of(alice) == [ALICE]


def test_the_address_that_another_person_left_is_free(alice: Any, make: Make) -> None:
    post(new_browser(), "email/resend", email=ALICE)
    delivered()
    set_column(alice, OTHER)
    bob = make("bob", ALICE)

    assert find_by_identifier(ALICE) == bob
    assert forgot() == [[ALICE]]
    post(new_browser(), "password/forgot", email=ALICE)
    assert reset(token_in(the_mail())).status_code == 200
    assert EmailAddress.objects.get(key=ALICE, is_primary=True).user == bob


# --- Several accounts --------------------------------------------------------------


@pytest.mark.shared
def test_an_address_of_several_accounts_does_not_sign_in(alice: Any, make: Make) -> None:
    make("bob", "Alice@example.org")

    refused = log_in(new_browser(), identifier=ALICE)

    assert (refused.status_code, code_of(refused)) == (401, "invalid_credentials")
    assert list(matching_users(ALICE)) == []
    assert log_in(new_browser(), identifier=str(alice.get_username())).status_code == 200


@pytest.mark.shared
def test_the_refusal_of_several_accounts_does_the_work_of_a_wrong_password(alice: Any, make: Make) -> None:
    make("bob", "Alice@example.org")
    make("carol")
    works, browser = {}, new_browser()
    log_in(browser, identifier="nobody@example.org")
    for case, identifier in {"several": ALICE, "wrong": "carol@example.org", "unknown": "nobody@example.org"}.items():
        with counted() as counts:
            answer = log_in(browser, identifier=identifier, password=NEW)
        works[case] = (answer.status_code, code_of(answer), counts.queries)

    assert works["several"] == works["wrong"] == works["unknown"]


@pytest.mark.shared
def test_a_reset_mails_one_link_for_each_account(alice: Any, make: Make) -> None:
    bob = make("bob", "Alice@Example.org")
    post(new_browser(), "password/forgot", email=ALICE)
    messages = delivered()

    assert sorted(message.to[0] for message in messages) == ["Alice@example.org", ALICE]
    bodies = "".join(message.body for message in messages)
    assert all(f"begins with {str(user.get_username())[:4]}\u2026" in bodies for user in (alice, bob))
    answers = [reset(token_in(message)) for message in messages]

    assert [answer.status_code for answer in answers] == [200, 200]
    for user in (alice, bob):
        assert log_in(new_browser(), identifier=str(user.get_username()), password=NEW).status_code == 200
    assert EmailAddress.objects.filter(key=ALICE, verified_at__isnull=False).count() == 1


@pytest.mark.shared
@pytest.mark.disabling
def test_a_disabled_account_with_the_same_address_is_passed_over(alice: Any, make: Make) -> None:
    make("bob", ALICE, is_active=False)

    assert log_in(new_browser(), identifier=ALICE).status_code == 200
    assert forgot() == [[ALICE]]


@pytest.mark.shared
def test_a_reset_of_very_many_accounts_is_bounded(alice: Any) -> None:
    field = get_user_model()._meta.get_field(get_user_model().USERNAME_FIELD)
    copies = []
    for number in range(40):
        copy = get_user_model().objects.get(pk=alice.pk)
        copy.pk = None
        setattr(copy, field.name, 10_000 + number if isinstance(field, models.IntegerField) else f"copy{number}")
        copies.append(copy)
    get_user_model().objects.bulk_create(copies)

    assert len(forgot()) == MAX_MATCHES


@pytest.mark.shared
def test_the_owner_is_found_among_very_many_claims(alice: Any) -> None:
    test_a_reset_of_very_many_accounts_is_bounded(alice)
    owner = get_user_model().objects.latest("pk")

    verify(owner, ALICE)

    assert find_by_identifier(ALICE) == owner
    assert forgot() == [[ALICE]]


# --- A verified address wins -----------------------------------------------------------


@pytest.fixture
def owner(make: Make) -> Any:
    """A person who has verified the address that stands in the column of alice."""
    bob = make("bob", OTHER)
    verify(bob, ALICE)
    return bob


def test_a_verified_address_signs_in_its_owner(alice: Any, owner: Any) -> None:
    assert find_by_identifier(ALICE) == owner
    assert list(matching_users(ALICE)) == [owner]


def test_a_verified_address_resets_the_password_of_its_owner(alice: Any, owner: Any) -> None:
    post(new_browser(), "password/forgot", email=ALICE)
    reset(token_in(the_mail()))

    owner.refresh_from_db()
    alice.refresh_from_db()
    assert (owner.check_password(NEW), alice.check_password(NEW)) == (True, False)


def test_a_column_cannot_be_verified_against_the_owner(alice: Any, make: Make) -> None:
    post(new_browser(), "password/forgot", email=ALICE)
    token = token_in(the_mail())
    post(new_browser(), "email/resend", email=ALICE)
    confirmation = token_in(the_mail())
    bob = make("bob", OTHER)
    EmailAddress.objects.filter(user=alice).update(is_primary=False)
    verify(bob, ALICE)

    assert code_of(post(new_browser(), "email/verify", token=confirmation)) == "link_invalid"
    assert reset(token).status_code == 200
    assert [row.user for row in EmailAddress.objects.filter(verified_at__isnull=False)] == [bob]
    assert find_by_identifier(ALICE) == bob


def test_an_attacker_who_types_the_address_of_a_victim_gets_nothing(alice: Any, make: Make) -> None:
    post(new_browser(), "password/forgot", email=ALICE)
    reset(token_in(the_mail()))
    mallory = make("bob", OTHER)
    field = address_fields()[0]
    typed = "Alice@example.org" if field.unique else ALICE
    set_column(mallory, typed)

    assert find_by_identifier(ALICE) == alice
    assert forgot() == [[ALICE]]
    assert email_part(mallory)["verified"] is False
    assert [link.user for link in ResetLink.objects.filter(spent_at=None)] == [alice]


def test_a_sign_up_with_the_address_of_a_column_says_that_there_is_an_account(alice: Any) -> None:
    answer = post(new_browser(), "signup", email="ALICE@example.org", password=NEW)

    if answer.status_code == 202:
        message = the_mail()
        assert message.to == [ALICE]
        assert "already has an account" in message.body
        assert "els_" not in message.body


def test_an_administrator_resets_only_the_chosen_account(alice: Any, make: Make) -> None:
    make("bob", "Alice@example.org")

    request_reset(email=ALICE, client=Client(), only_for=alice)

    assert [link.user for link in ResetLink.objects.all()] == [alice]


# --- Trust ---------------------------------------------------------------------------------


@pytest.fixture
def trust(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "TRUST_EXISTING_EMAILS": True}


def test_a_trusted_address_counts_as_verified(trust: None, alice: Any) -> None:
    assert email_part(alice) == {"address": ALICE, "verified": True}
    post(new_browser(), "email/resend", email=ALICE)
    assert delivered() == []


def test_trust_does_not_cover_the_address_of_another_owner(trust: None, alice: Any, owner: Any) -> None:
    assert email_part(alice)["verified"] is False
    assert find_by_identifier(ALICE) == owner


def test_trust_ends_with_the_column(trust: None, alice: Any) -> None:
    post(new_browser(), "email/resend", email=ALICE)
    assert EmailAddress.objects.get().verified_at is not None

    set_column(alice, OTHER)

    assert find_by_identifier(ALICE) is None
    assert forgot(ALICE) == []
    assert email_part(alice) == {"address": OTHER, "verified": True}


@pytest.mark.shared
def test_trust_does_not_cover_an_address_of_several_accounts(trust: None, alice: Any, make: Make) -> None:
    make("bob", ALICE)

    assert email_part(alice)["verified"] is False


# --- Statements ----------------------------------------------------------------------------


def test_a_look_up_is_one_statement(alice: Any) -> None:
    for identifier in (ALICE, "nobody@example.org"):
        with CaptureQueriesContext(connection) as queries:
            find_by_identifier(identifier)
        assert len(queries) == 1


def test_an_expired_link_resets_nothing(alice: Any) -> None:
    post(new_browser(), "password/forgot", email=ALICE)
    ResetLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert code_of(reset(token_in(the_mail()))) == "link_invalid"
    assert log_in(new_browser(), identifier=ALICE, password=PASSWORD).status_code == 200
