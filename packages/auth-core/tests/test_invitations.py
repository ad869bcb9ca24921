"""Invitations and the first administrator."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from django.utils import timezone

from auth_core.errors import InvalidRequest, LinkInvalid
from auth_core.events import AuthEvent, Event
from auth_core.flows.account_creation import create_account
from auth_core.flows.first_administrator import AdministratorExists, create_first_administrator, new_bootstrap_link
from auth_core.models import BootstrapLink
from auth_core.request.client import Client
from auth_core.testing.browsers import code_of, log_in, logged_in, new_browser, post
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import delivered, link_in, the_mail, token_in

pytestmark = pytest.mark.django_db

BOB = "bob@example.org"


@pytest.fixture
def host(alice: Any) -> Browser:
    """The browser of a user who may invite."""
    alice.user_permissions.set(Permission.objects.filter(content_type__model="invitation"))
    return logged_in()


def accept(token: str, password: str = PASSWORD) -> Any:
    return post(new_browser(), "invitations/accept", token=token, password=password)


def test_an_invited_person_creates_the_account(host: Browser, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SIGNUP": "invitation"}
    invited = post(host, "invitations", email="Bob@example.org")
    message = the_mail()

    accepted = accept(token_in(message))

    assert (invited.status_code, invited.json()["email"]) == (201, "Bob@example.org")
    assert host.get(invited.headers["Location"]).status_code == 404
    assert "eli_" not in invited.content.decode()
    assert link_in(message).startswith("https://auth.example.org/invite/eli_")
    assert accepted.status_code == 200
    assert log_in(new_browser(), identifier=BOB).json()["user"]["email_verified"] is True
    assert code_of(accept(token_in(message))) == "link_invalid"


def test_an_invitation_is_listed_and_withdrawn(host: Browser) -> None:
    invited = post(host, "invitations", email=BOB)
    token = token_in(the_mail())

    assert [row["id"] for row in host.get("/api/v1/invitations/").json()["results"]] == [invited.json()["id"]]
    assert host.delete(invited.headers["Location"]).status_code == 204
    assert host.delete(invited.headers["Location"]).status_code == 404
    assert host.get("/api/v1/invitations/").json()["results"] == []
    assert code_of(accept(token)) == "link_invalid"


def test_a_later_invitation_replaces_the_one_before(host: Browser) -> None:
    post(host, "invitations", email=BOB)
    first = token_in(the_mail())
    post(host, "invitations", email="BOB@example.org")
    second = token_in(the_mail())

    assert code_of(accept(first)) == "link_invalid"
    assert accept(second).status_code == 200


def test_an_invitation_does_not_reveal_existing_accounts(host: Browser) -> None:
    existing = post(host, "invitations", email="alice@example.org")
    unknown = post(host, "invitations", email=BOB)

    assert (existing.status_code, set(existing.json())) == (unknown.status_code, set(unknown.json()))
    assert ["eli_" in message.body for message in delivered()] == [False, True]


def test_an_invitation_ends_after_a_week(host: Browser) -> None:
    post(host, "invitations", email=BOB)
    token = token_in(the_mail())

    with time_machine.travel(timezone.now() + timedelta(days=7, seconds=1), tick=False):
        assert code_of(accept(token)) == "link_invalid"


@pytest.mark.parametrize("password", ["short", "bob@example.org!"])
def test_a_refused_password_leaves_the_invitation_valid(password: str, host: Browser) -> None:
    post(host, "invitations", email=BOB)
    token = token_in(the_mail())

    assert code_of(accept(token, password)) == "invalid_request"
    assert accept(token).status_code == 200


def test_only_people_with_the_permission_invite(alice: Any, browser: Browser) -> None:
    assert post(browser, "invitations", email=BOB).status_code == 401
    logged_in(browser)

    assert post(browser, "invitations", email=BOB).status_code == 403
    assert browser.get("/api/v1/invitations/").status_code == 403
    assert delivered() == []


def first_administrator(token: str, **fields: Any) -> Any:
    arguments = {"email": "root@example.org", "password": PASSWORD, "client": Client(), **fields}
    return create_first_administrator(token=token, **arguments)


def new_token() -> str:
    return new_bootstrap_link().rstrip("/").rpartition("/")[2]


@pytest.mark.asvs("6.3.2")
def test_a_bootstrap_link_creates_the_first_administrator(events: list[Event]) -> None:
    link = new_bootstrap_link()

    user = first_administrator(link.rstrip("/").rpartition("/")[2])

    assert link.startswith("https://auth.example.org/setup/elf_")
    assert user.is_superuser
    assert log_in(new_browser(), identifier="root@example.org").status_code == 200
    names = [event.name for event in events]
    assert names[:3] == [AuthEvent.BOOTSTRAP_OPENED, AuthEvent.ACCOUNT_CREATED, AuthEvent.BOOTSTRAP_COMPLETED]


def test_there_is_no_link_once_there_is_an_administrator(alice: Any) -> None:
    token = new_token()
    create_account(email="root@example.org", password=PASSWORD, superuser=True)

    with pytest.raises(AdministratorExists):
        new_bootstrap_link()
    with pytest.raises(LinkInvalid):
        first_administrator(token, email="second@example.org")
    assert get_user_model().objects.filter(is_superuser=True).count() == 1


def test_one_link_is_live_at_a_time() -> None:
    first, second = new_token(), new_token()

    with pytest.raises(LinkInvalid):
        first_administrator(first)
    assert first_administrator(second).is_superuser
    assert BootstrapLink.objects.count() == 1


def test_a_bootstrap_link_is_valid_for_a_quarter_of_an_hour() -> None:
    token = new_token()

    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1), tick=False), pytest.raises(LinkInvalid):
        first_administrator(token)


@pytest.mark.parametrize("fields", [{"email": "none"}, {"password": "short"}, {"password": "p" * 1_000_000}])
def test_bad_input_leaves_the_link_valid(fields: dict[str, Any]) -> None:
    token = new_token()

    with pytest.raises(InvalidRequest):
        first_administrator(token, **fields)
    assert first_administrator(token).is_superuser


def test_the_command_prints_the_link_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    out = StringIO()
    call_command("bootstrap_link", stdout=out)

    assert out.getvalue().startswith("https://auth.example.org/setup/elf_")
    assert "elf_" not in caplog.text


def test_the_command_fails_if_there_is_an_administrator() -> None:
    create_account(email="root@example.org", password=PASSWORD, superuser=True)
    out = StringIO()

    with pytest.raises(CommandError, match="already"):
        call_command("bootstrap_link")
    call_command("bootstrap_link", "--quiet", stdout=out)
    assert out.getvalue() == ""
