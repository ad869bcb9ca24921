"""Initial access tokens: issued by a command and in the admin, shown once, and ended."""

import io
import json
import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from administrators import browser_of_clerk
from auth_core.crypto.secrets import digest
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import InitialAccessToken
from registrations import initial_token, register

pytestmark = pytest.mark.django_db

ADMIN = "/admin/auth_oauth/initialaccesstoken/"
FORM = {
    "name": "Partner",
    "uses": "2",
    "lifetime": "3600",
    "scopes": "orders:read\norders:write",
    "authorization_details_types": "account",
}


@pytest.fixture(autouse=True)
def switched_on(settings: Any) -> None:
    """A site that lets applications register themselves."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "DYNAMIC_REGISTRATION": True}


def issued(*arguments: str) -> str:
    output = io.StringIO()
    call_command("issue_initial_token", "--name", "Partner", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_prints_a_token_that_registers(events: list[Any]) -> None:
    printed = json.loads(
        issued(
            "--json",
            "--uses",
            "2",
            "--lifetime",
            "60",
            "--scope",
            "orders:read",
            "--authorization-details-type",
            "account",
        )
    )

    row = InitialAccessToken.objects.get()
    assert row.token_digest == digest(printed["initial_access_token"])
    assert (row.uses_left, row.scopes, row.authorization_details_types) == (2, "orders:read", "account")
    assert register(printed["initial_access_token"]).status_code == 201
    assert events[0].name == OAuthEvent.INITIAL_TOKEN_ISSUED


def test_the_command_says_if_registration_is_off(settings: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "DYNAMIC_REGISTRATION": False}
    errors = io.StringIO()

    call_command("issue_initial_token", "--name", "Partner", stdout=io.StringIO(), stderr=errors)

    assert "DYNAMIC_REGISTRATION" in errors.getvalue()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--uses", "10001"),
        ("--uses", "0"),
        ("--lifetime", "31536001"),
        ("--scope", "a b"),
        ("--scope", 'a"'),
        ("--authorization-details-type", "a b"),
    ],
)
def test_the_command_refuses_what_the_rules_refuse(arguments: tuple[str, str]) -> None:
    with pytest.raises(CommandError):
        issued(*arguments)
    assert not InitialAccessToken.objects.exists()


def test_the_admin_shows_a_new_token_once(administrator: Browser, events: list[Any]) -> None:
    page = administrator.post(f"{ADMIN}add/", FORM)

    (token,) = re.findall(r"eit_[A-Za-z0-9_-]{43}", page.content.decode())
    row = InitialAccessToken.objects.get()
    assert "no-store" in page.headers["Cache-Control"]
    assert row.token_digest == digest(token)
    assert (row.name, row.uses_left, row.scopes) == ("Partner", 2, "orders:read orders:write")
    assert row.authorization_details_types == "account"
    assert [event.name for event in events] == [OAuthEvent.INITIAL_TOKEN_ISSUED]
    assert events[0].actor is not None
    for address in (ADMIN, f"{ADMIN}{row.pk}/change/", f"{ADMIN}{row.pk}/history/"):
        text = administrator.get(address).content.decode()
        assert token not in text
        assert row.token_digest not in text
    assert register(token).status_code == 201


@pytest.mark.parametrize(
    "field",
    [
        {"name": ""},
        {"name": "a\x00b"},
        {"uses": "0"},
        {"uses": "10001"},
        {"lifetime": "0"},
        {"scopes": "a b"},
        {"authorization_details_types": "a b"},
        {"uses": "x"},
    ],
)
def test_the_form_refuses_what_the_rules_refuse(field: dict[str, str], administrator: Browser) -> None:
    assert administrator.post(f"{ADMIN}add/", {**FORM, **field}).status_code == 200
    assert not InitialAccessToken.objects.exists()


def test_a_token_is_never_changed(administrator: Browser) -> None:
    initial_token()
    row = InitialAccessToken.objects.get()

    answer = administrator.post(f"{ADMIN}{row.pk}/change/", {**FORM, "uses": "9"})

    assert answer.status_code == 403
    assert InitialAccessToken.objects.get().uses_left == 1


@pytest.mark.parametrize("way", ["page", "action"])
def test_a_token_is_ended(way: str, administrator: Browser, events: list[Any]) -> None:
    token = initial_token()
    key = str(InitialAccessToken.objects.get().pk)
    if way == "page":
        administrator.post(f"{ADMIN}{key}/delete/", {"post": "yes"})
    else:
        administrator.post(ADMIN, {"action": "delete_selected", "_selected_action": [key], "post": "yes"})

    assert register(token).status_code == 401
    assert OAuthEvent.INITIAL_TOKEN_ENDED in [event.name for event in events]


def test_the_pages_need_their_permission() -> None:
    initial_token()
    key = InitialAccessToken.objects.get().pk
    clerk = browser_of_clerk("view_applicationpolicy", is_staff=True)

    for page in ("", "add/", f"{key}/change/", f"{key}/delete/"):
        assert clerk.get(f"{ADMIN}{page}").status_code == 403
        assert clerk.post(f"{ADMIN}{page}", FORM).status_code == 403
    assert InitialAccessToken.objects.count() == 1
