"""Sign-up closes itself for a user model that needs more than an address, with a check that says why."""

import io
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from auth_core.conf import core
from auth_core.errors import SignupClosed
from auth_core.flows.invitations import invite
from auth_core.people.user_columns import address_fields
from auth_core.request.client import Client
from auth_core.testing.browsers import code_of, new_browser, post
from auth_core.testing.factories import PASSWORD

pytestmark = pytest.mark.django_db

REASONS = {
    "by_phone.Caller": ["by_phone.Caller.phone cannot hold an email address."],
    "by_handle.Player": ["by_handle.Player.handle cannot hold an email address."],
    "club.Fellow": [
        "club.Fellow.number cannot hold an email address.",
        "club.Fellow.born_on is required and has no default.",
    ],
}


def reasons() -> list[str]:
    return REASONS.get(get_user_model()._meta.label, [])


def warnings() -> list[str]:
    return [message.msg for message in run_checks() if message.id == "auth_core.W004"]


def test_a_check_says_why() -> None:
    expected = f"Sign-up and invitations are closed: {' '.join(reasons())}"

    assert warnings() == ([expected] if reasons() else [])


def test_a_site_that_closed_sign_up_itself_is_not_warned(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SIGNUP": "closed"}

    assert warnings() == []


def test_the_system_check_finds_no_error() -> None:
    assert [message for message in run_checks() if message.is_serious(30) and message.id != "auth_core.W004"] == []


def test_sign_up_is_refused_with_a_reason_and_not_with_an_error() -> None:
    answer = post(new_browser(), "signup", email="new@example.org", password=PASSWORD)

    if reasons():
        assert (answer.status_code, code_of(answer)) == (403, "signup_closed")
    else:
        assert answer.status_code == 202


def test_the_page_offers_sign_up_only_where_it_works() -> None:
    browser = new_browser()

    assert (b'name="email"' in browser.get("/signup/").content) == (not reasons())
    assert (b"/signup/" in browser.get("/login/").content) == (not reasons())
    posted = browser.post("/signup/", {"email": "new@example.org", "password": PASSWORD})
    assert posted.status_code < 500


def test_invitations_are_refused_likewise() -> None:
    if reasons():
        with pytest.raises(SignupClosed):
            invite(email="new@example.org", actor=None, client=Client())
    else:
        invite(email="new@example.org", actor=None, client=Client())


@pytest.mark.parametrize("command", ["create_user", "bootstrap_link"])
def test_the_commands_name_the_reason(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    arguments = ["--email", "new@example.org"] if command == "create_user" else []

    if reasons():
        with pytest.raises(CommandError) as refused:
            call_command(command, *arguments)
        assert all(reason in str(refused.value) for reason in reasons())
    else:
        call_command(command, *arguments, stdout=io.StringIO())
        assert core.SIGNUP == "open"


@pytest.mark.parametrize("value", ["False", 1, None])
def test_a_trust_that_is_not_a_yes_or_a_no_is_refused(value: Any, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "TRUST_EXISTING_EMAILS": value}

    assert "auth_core.E019" in [message.id for message in run_checks()]


def test_trust_needs_an_email_field(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "TRUST_EXISTING_EMAILS": True}

    found = [message.id for message in run_checks() if message.id in ("auth_core.E019", "auth_core.W006")]

    assert found == ([] if address_fields() else ["auth_core.W006"])
