"""The MAC of an entry is valid only for the entry as it was appended."""

from ipaddress import ip_address
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import models
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from auth_audit.append import macs
from auth_audit.models import AuditEntry
from auth_audit.personal.readable_entry import read_one
from auth_audit.testing.trail import recorded
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_core.request.client import Client

pytestmark = pytest.mark.django_db

in_one_database = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=32)

#: Values that an attacker could write into a column of each type.
FORGED: dict[type[Any], st.SearchStrategy[Any]] = {
    models.UUIDField: st.none() | st.uuids(),
    models.CharField: TEXT,
    models.JSONField: st.dictionaries(TEXT, TEXT | st.integers() | st.none(), max_size=3) | st.lists(TEXT, max_size=2),
}


def covered_columns() -> list[Any]:
    return [field for field in AuditEntry._meta.concrete_fields if field.name not in macs.NOT_COVERED]


def appended(**details: Any) -> AuditEntry:
    """Append an entry and return it as the database returns it."""
    details = {"reason": "password", "outcome": EventOutcome.FAILURE, "data": {"purpose": "login"}, **details}
    record(Event(name=AuthEvent.LOGIN_FAILED, **details))
    return AuditEntry.objects.latest("id")


@given(
    address=st.ip_addresses().map(str),
    agent=TEXT,
    reason=TEXT,
    purpose=st.floats() | st.integers() | st.text(st.characters()) | st.lists(st.floats()) | st.none(),
)
@in_one_database
def test_every_appended_entry_verifies_when_read(address: str, agent: str, reason: str, purpose: Any) -> None:
    client = Client(ip=address, network=address, user_agent=agent)

    entry = appended(client=client, reason=reason, data={"purpose": purpose}, session=uuid4(), target=("a", reason))

    assert macs.verifies(entry)


@pytest.mark.parametrize("address", ["::1.2.3.4", "::102:304", "::ffff:192.0.2.1", "2001:db8:0:0:1:0:0:1"])
def test_an_address_has_the_spelling_of_python(address: str) -> None:
    assert read_one(appended(client=Client(ip=address))).ip == str(ip_address(address))


@given(column=st.sampled_from(covered_columns()), data=st.data())
@in_one_database
def test_an_entry_with_any_column_changed_does_not_verify(column: Any, data: st.DataObject) -> None:
    entry = appended(client=Client(ip="192.0.2.1"), target=("session", "1"))
    before = macs.covered_columns(entry)

    setattr(entry, column.attname, data.draw(FORGED[type(column)]))

    verified = macs.verifies(entry)
    assume(_covered(entry) != before)
    assert not verified


def test_an_entry_of_the_first_version_verifies() -> None:
    """The signed form must never change: otherwise every older entry would look forged."""
    entry = AuditEntry(
        id=UUID("01900000-0000-7000-8000-000000000001"),
        name="auth.login.failed",
        severity="notice",
        retention="security",
        outcome="failure",
        reason="password",
        subject_id=UUID("01900000-0000-7000-8000-0000000000aa"),
        session_id=UUID("01900000-0000-4000-8000-0000000000bb"),
        target_kind="identifier",
        target_id="\\u00e9é",
        changes={"b": {"before": 0, "after": False}, "a": {"before": None, "after": ""}},
        data={"purpose": "login", "score": 0.5, "list": []},
        personal=["v1.0190000000007000800000000000000001.AAAA"],
        correlation_id="c" * 36,
        mac_key="test",
        mac="f1c9c274e02ee214f37c91dd708d938ffe68303b83f6d24c5c9a4a683c99318e",
    )

    assert macs.verifies(entry)


def test_the_mac_covers_every_column_not_set_by_the_database() -> None:
    assert {"mac", "recorded_at", "transaction_id"} == macs.NOT_COVERED


@pytest.mark.parametrize("nonsense", ["", "é" * 64, "0" * 64])
def test_an_invalid_mac_does_not_verify(nonsense: str) -> None:
    entry = appended()

    entry.mac = nonsense

    assert not macs.verifies(entry)


def test_a_column_added_later_breaks_no_mac_until_it_is_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = appended()
    column = models.CharField(max_length=8, default="")
    column.set_attributes_from_name("added_later")
    monkeypatch.setattr(AuditEntry._meta, "concrete_fields", (*AuditEntry._meta.concrete_fields, column))

    verified = {}
    for value in ("", "forged"):
        entry.added_later = value  # type: ignore[attr-defined]  # a column of a later version
        verified[value] = macs.verifies(entry)

    assert verified == {"": True, "forged": False}


def test_an_entry_does_not_verify_without_its_key(settings: Any) -> None:
    entry = appended()

    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {"other": "b3RoZXItb25seS1vdGhlci1vbmx5LW90aGVyLTMyMzI"}}

    assert not macs.verifies(entry)


def test_an_entry_under_an_older_key_verifies(settings: Any) -> None:
    entry = appended()
    newer = {"newer": "b3RoZXItb25seS1vdGhlci1vbmx5LW90aGVyLTMyMzI"}

    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": newer | settings.AUTH_CORE["FIELD_KEYS"]}

    assert macs.verifies(entry)
    assert appended().mac_key == "newer"
    assert all(macs.verifies(entry) for entry in recorded())


def _covered(entry: AuditEntry) -> Any:
    try:
        return macs.covered_columns(entry)
    except ValueError:
        return None
