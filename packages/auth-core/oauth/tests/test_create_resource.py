"""``manage.py create_resource``."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from auth_core.events import Event
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import Resource

pytestmark = pytest.mark.django_db

URI = "https://notes.example.org/mcp"


def test_a_resource_is_registered(events: list[Event]) -> None:
    printed = StringIO()
    options = ["--uri", f"{URI}/", "--name", "Notes", "--scope", "notes:read=Read your notes", "--scope", "a=b=c"]

    call_command("create_resource", *options, stdout=printed)

    made = Resource.objects.get()
    assert (made.uri, made.name, made.scopes) == (URI, "Notes", {"notes:read": "Read your notes", "a": "b=c"})
    assert printed.getvalue() == f"id: {made.pk}\n"
    assert [event.name for event in events] == [OAuthEvent.RESOURCE_ADDED]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--uri", "http://notes.example.org"], "uri:"),
        (["--uri", URI, "--scope", "notes:read"], "an equals sign"),
        (["--uri", URI, "--scope", "=Read"], "scopes:"),
        (["--uri", URI, "--scope", "openid=Read"], "scopes:"),
    ],
)
def test_what_the_rules_forbid_is_refused(options: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("create_resource", *options)

    assert not Resource.objects.exists()


def test_an_address_is_registered_once() -> None:
    call_command("create_resource", "--uri", URI)

    with pytest.raises(CommandError, match="There is a resource"):
        call_command("create_resource", "--uri", URI)
