"""Logins of Django are recorded once. An identifier without an account is recorded as a digest of its day."""

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.test import Client as Browser

from auth_audit.append.digests import digest_of_today
from auth_audit.personal.readable_entry import read_one
from auth_audit.testing.trail import recorded
from auth_core.testing.browsers import log_in
from auth_core.testing.factories import PASSWORD, make_administrator

pytestmark = pytest.mark.django_db

TYPED = "correct horse typed into the wrong field"


def log_in_to_the_admin(username: str, password: str = PASSWORD) -> Browser:
    browser = Browser()
    browser.post("/admin/login/", {"username": username, "password": password})
    return browser


@pytest.mark.asvs("16.3.1")
def test_a_login_and_logout_by_djangos_own_views_are_recorded() -> None:
    boss = make_administrator("boss@example.org")
    browser = log_in_to_the_admin(boss.get_username())
    browser.post("/admin/logout/")

    subject = boss.auth_identity.subject_id
    assert [entry.subject_id for entry in recorded("auth.login.succeeded")] == [subject]
    assert [entry.subject_id for entry in recorded("auth.logout.completed")] == [subject]


@pytest.mark.asvs("16.2.5")
def test_a_failed_login_records_a_digest_of_the_identifier() -> None:
    log_in_to_the_admin(TYPED, "wrong")

    (entry,) = recorded("auth.login.failed")
    assert entry.subject_id is None
    assert (entry.target_kind, entry.target_id) == ("identifier", digest_of_today(TYPED))
    read = read_one(entry)
    assert (read.ip, entry.outcome) == ("127.0.0.1", "failure")
    assert TYPED not in f"{vars(entry)} {read}"


@pytest.mark.asvs("16.3.1")
def test_a_failed_login_by_a_view_of_the_site_names_the_account(alice: Any) -> None:
    log_in_to_the_admin(alice.get_username(), "wrong")

    (entry,) = recorded("auth.login.failed")
    assert (entry.subject_id, entry.reason, entry.target_id) == (alice.auth_identity.subject_id, "password", "")


@pytest.mark.parametrize("name", ["username", "email", "login"])
def test_a_failed_login_names_the_account_whatever_the_backend_calls_its_name(name: str, alice: Any) -> None:
    assert authenticate(**{name: alice.get_username(), "code": "wrong"}) is None

    (entry,) = recorded("auth.login.failed")
    assert (entry.subject_id, entry.personal) == (alice.auth_identity.subject_id, [])


def test_a_failed_login_of_a_disabled_account_says_so(alice: Any) -> None:
    alice.is_active = False
    alice.save()
    log_in_to_the_admin(alice.get_username())

    (entry,) = recorded("auth.login.failed")
    assert (entry.subject_id, entry.reason) == (alice.auth_identity.subject_id, "disabled")


@pytest.mark.parametrize("typed", ["\x00", "\ud800", "x" * 100_000])
def test_a_failed_login_with_text_that_no_column_holds_is_recorded(typed: str) -> None:
    authenticate(login=typed, code="wrong")

    assert [entry.reason for entry in recorded("auth.login.failed")] == ["unknown"]


def test_a_failed_login_of_auth_core_is_recorded_once_with_the_digest(browser: Browser) -> None:
    log_in(browser, identifier="nobody@example.org", password="wrong password of nobody")

    (entry,) = recorded("auth.login.failed")
    assert (entry.target_kind, entry.target_id) == ("identifier", digest_of_today("Nobody@Example.org"))


def test_a_failed_login_of_an_account_records_its_subject_and_no_digest(browser: Browser, alice: Any) -> None:
    log_in(browser, password="wrong password of alice")

    (entry,) = recorded("auth.login.failed")
    assert (entry.subject_id, entry.target_id) == (alice.auth_identity.subject_id, "")


def test_a_login_of_auth_core_is_recorded_once(browser: Browser, alice: Any) -> None:
    assert log_in(browser).status_code == 200

    assert len(recorded("auth.login.succeeded")) == 1


def test_the_digest_of_an_identifier_changes_every_day(settings: Any) -> None:
    with time_machine.travel(datetime(2026, 11, 24, 23, 59, tzinfo=UTC), tick=False):
        today = digest_of_today("Alice ")
        assert today == digest_of_today("alice")
        assert today.startswith("2026-11-24.")
    with time_machine.travel(datetime(2026, 11, 25, tzinfo=UTC), tick=False):
        tomorrow = digest_of_today("alice")

    assert tomorrow.partition(".")[2] != today.partition(".")[2]


@pytest.mark.parametrize("typed", ["\ud800", "x" * 100_000, "", "\x00"])
def test_every_identifier_has_a_digest(typed: str) -> None:
    assert len(digest_of_today(typed)) == len("2026-11-24.") + 24
