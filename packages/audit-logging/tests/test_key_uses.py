"""The rotation of keys counts the keys of MACs."""

import io
import json

import pytest
from django.core.management import call_command

from auth_audit.append.macs import mac_keys_in_use
from auth_core.events import AuthEvent, Event, record

pytestmark = pytest.mark.django_db


def test_a_key_of_stored_macs_is_counted_as_in_use() -> None:
    for _entry in range(2):
        record(Event(name=AuthEvent.LOGOUT_COMPLETED))

    out = io.StringIO()
    call_command("rotate_keys", "--remaining", "--json", stdout=out)

    assert mac_keys_in_use() == {"test": 2}
    assert '"test": 2' in json.dumps(json.loads(out.getvalue()))
