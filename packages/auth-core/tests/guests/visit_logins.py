"""People who were there before auth_core sign in, change their password and are deleted, with every user model."""

import json
from datetime import date
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core import serializers
from django.core.management import call_command
from django.test import Client as Browser

from auth_core.models import EmailAddress, Identity
from auth_core.people.lookup import find_by_identifier
from auth_core.testing.browsers import code_of, log_in, log_in_on_page, logged_in, new_browser, post, sign_up
from auth_core.testing.counts import counted
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import the_mail, token_in
from guests.conftest import Make, columns_of

pytestmark = pytest.mark.django_db

NEW = "another battery horse staple"


def test_the_username_signs_in(name_of_alice: str) -> None:
    answer = log_in(new_browser(), identifier=name_of_alice)

    assert (answer.status_code, answer.json()["status"]) == (200, "granted")


def test_the_username_signs_in_on_the_page(name_of_alice: str) -> None:
    browser = Browser()

    log_in_on_page(browser, identifier=name_of_alice)

    assert browser.get("/api/v1/me/").status_code == 200


def test_django_authenticates_by_the_name_of_the_field(alice: Any, name_of_alice: str) -> None:
    field = get_user_model().USERNAME_FIELD

    assert authenticate(username=name_of_alice, password=PASSWORD) == alice
    assert authenticate(**{field: name_of_alice}, password=PASSWORD) == alice
    assert authenticate(**{field: name_of_alice}, password=NEW) is None


def test_djangos_own_login_view_works(name_of_alice: str) -> None:
    browser = Browser()

    answer = browser.post("/accounts/login/", {"username": name_of_alice, "password": PASSWORD})

    assert answer.status_code == 302
    assert browser.get("/api/v1/me/").status_code == 200


@pytest.mark.staff
def test_a_superuser_enters_the_admin(make: Make) -> None:
    root = make("root", is_staff=True, is_superuser=True)
    browser = Browser()

    answer = browser.post("/admin/login/?next=/admin/", {"username": str(root.get_username()), "password": PASSWORD})

    assert answer.status_code == 302
    pages = [
        browser.get(f"/admin/{path}").status_code for path in ("", "auth_core/identity/", "auth_core/emailaddress/")
    ]
    assert pages == [200, 200, 200]


@pytest.mark.parametrize("identifier", ["no such name", "nobody@example.org", "12", "\u0661", "9" * 40, "a@b", "'; --"])
def test_an_unknown_identifier_is_refused(identifier: str, alice: Any) -> None:
    refused = log_in(new_browser(), identifier=identifier)

    assert (refused.status_code, code_of(refused)) == (401, "invalid_credentials")


def test_the_number_of_statements_does_not_depend_on_the_account(name_of_alice: str) -> None:
    browser, costs = new_browser(), []
    unknown = name_of_alice[:-1] + "9"
    log_in(browser, identifier=unknown)
    for identifier in (name_of_alice, unknown):
        with counted() as counts:
            log_in(browser, identifier=identifier, password="not the password at all")
        costs.append(counts.queries)

    assert costs[0] == costs[1]


def test_people_whom_other_code_creates_sign_in() -> None:
    model = get_user_model()
    extra = {"born_on": date(1990, 1, 1)} if "born_on" in {field.name for field in model._meta.get_fields()} else {}
    bulk, fixture = (model(**columns_of(name, f"{name}@example.org"), **extra) for name in ("bob", "carol"))
    for user in (bulk, fixture):
        user.set_password(PASSWORD)
    model.objects.bulk_create([bulk])
    names = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    for row in serializers.deserialize("json", serializers.serialize("json", [fixture], fields=names)):
        row.save()

    answers = [log_in(new_browser(), identifier=str(user.get_username())) for user in (bulk, fixture)]

    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.creatable
def test_a_superuser_of_the_command_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    columns = columns_of("root", "root@example.org")

    call_command("createsuperuser", interactive=False, verbosity=0, **columns)

    assert log_in(new_browser(), identifier="root@example.org").status_code == 200


def test_a_password_is_changed(name_of_alice: str) -> None:
    browser = logged_in(identifier=name_of_alice)

    changed = post(browser, "password/change", current_password=PASSWORD, new_password=NEW)

    assert changed.status_code == 204
    assert log_in(new_browser(), identifier=name_of_alice, password=NEW).status_code == 200


def test_a_profile_is_shown(alice: Any, name_of_alice: str) -> None:
    browser = new_browser()
    log_in(browser, identifier=name_of_alice)

    profile = browser.get("/api/v1/me/").json()

    assert profile["id"] == str(Identity.objects.get(user=alice).subject_id)
    assert profile["email_verified"] is False
    assert browser.get("/account/").status_code == 200


def test_a_deleted_person_leaves_nothing(alice: Any, name_of_alice: str) -> None:
    log_in(new_browser(), identifier=name_of_alice)
    call_command("adopt_users", verbosity=0)

    alice.delete()

    assert not Identity.objects.exists()
    assert not EmailAddress.objects.exists()
    assert log_in(new_browser(), identifier=name_of_alice).status_code == 401


@pytest.mark.disabling
def test_a_disabled_person_is_refused(alice: Any, name_of_alice: str) -> None:
    get_user_model().objects.update(is_active=False)

    assert code_of(log_in(new_browser(), identifier=name_of_alice)) == "invalid_credentials"


@pytest.mark.creatable
def test_signing_up_makes_an_account() -> None:
    browser = new_browser()
    sign_up(browser, "new@example.org")

    confirmed = post(browser, "email/verify", token=token_in(the_mail()))

    assert confirmed.status_code == 200
    assert log_in(new_browser(), identifier="NEW@example.org").status_code == 200


def test_an_address_that_is_too_long_for_the_columns_is_refused() -> None:
    long_address = f"{'a' * 60}@{'.'.join(['b' * 60] * 4)}.org"

    refused = post(new_browser(), "signup", email=long_address, password=NEW)

    assert refused.status_code in (400, 403)
    assert json.loads(refused.content)["code"] in ("invalid_request", "signup_closed")


def test_a_name_in_another_case_is_found_if_the_site_finds_it(alice: Any) -> None:
    """The manager of by_handle compares without case, as many do. auth_core asks it."""
    is_found = find_by_identifier(str(alice.get_username()).upper()) == alice

    assert is_found == (
        get_user_model()._meta.label in ("by_handle.Player", "by_email.Member", "by_phone.Caller", "club.Fellow")
    )
