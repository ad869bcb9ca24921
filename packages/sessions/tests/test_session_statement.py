"""The statement that opens a session: device, last login and session together, or none of them."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.signals import user_logged_in
from django.db import DataError, transaction
from django.utils import timezone

from auth_core.login import last_login
from auth_core.request.client import Client
from auth_core.testing.browsers import log_in, new_browser
from auth_sessions import devices, session_statement
from auth_sessions.models import Device, Session

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

UID = "update_last_login"


def new_session(user: Any, **changed: Any) -> Session:
    moment = timezone.now()
    columns = {
        "token_digest": "a" * 64, "user": user, "backend": "x", "transport": "token", "authenticated_at": moment,
        "last_seen_at": moment, "country": "", "idle_lifetime": timedelta(days=7), "expires_at": moment + timedelta(days=30),
    }  # fmt: skip
    return Session(**(columns | changed))


def new_device(user: Any, **columns: Any) -> Device:
    device, _secret = devices.device_of(user=user, client=Client(user_agent="curl/8"), transport="token")
    for name, value in columns.items():
        setattr(device, name, value)
    return device


def open_session(session: Session, device: Device) -> session_statement.SeenDevice | None:
    return session_statement.open_session(session, device, additions=2)


@pytest.fixture
def without_receiver() -> Iterator[None]:
    """A site that has disconnected Django's receiver, by the name that Django gave it."""
    assert user_logged_in.disconnect(dispatch_uid=UID)
    yield
    user_logged_in.connect(last_login._update_unless_stored, dispatch_uid=UID)


def test_it_can_be_used_here() -> None:
    assert session_statement.can_open()


def test_the_rows_are_those_of_the_orm(alice: Any) -> None:
    session, device = new_session(alice, ip="2001:db8::1", risk_reasons=[{"signal": "new_device"}]), new_device(alice)

    seen = open_session(session, device)

    read = Session.objects.get(pk=session.pk)
    fields = [field.attname for field in Session._meta.concrete_fields]
    assert [getattr(read, name) for name in fields] == [getattr(session, name) for name in fields]
    assert seen is not None
    assert seen.device == Device.objects.get() == device
    assert seen.additions == []
    assert (read.device_id, read.device_known) == (device.pk, False)
    alice.refresh_from_db()
    assert alice.last_login == session.last_seen_at


def test_a_new_device_comes_with_the_latest_additions_of_others(alice: Any, bob: Any) -> None:
    added = [new_device(alice, digest=f"{number}" * 64) for number in range(3)]
    for number, device in enumerate([*added, new_device(bob)]):
        open_session(new_session(device.user, token_digest=f"{number}" * 64), device)

    new = open_session(new_session(alice, token_digest="a" * 64), new_device(alice, digest="3" * 64))
    again = open_session(new_session(alice, token_digest="b" * 64), new_device(alice, digest="3" * 64))

    assert new is not None
    assert new.additions == [device.first_seen_at for device in reversed(added[1:])]
    assert again is not None
    assert again.additions == []


def test_a_blocked_device_opens_no_session_and_stores_no_login(alice: Any) -> None:
    open_session(new_session(alice), new_device(alice))
    Device.objects.update(blocked_at=timezone.now())
    alice.refresh_from_db()
    before = (alice.last_login, Device.objects.get().last_seen_at)

    seen = open_session(new_session(alice, token_digest="b" * 64), new_device(alice))

    alice.refresh_from_db()
    assert seen is None
    assert Session.objects.count() == 1
    assert (alice.last_login, Device.objects.get().last_seen_at) == before


def test_a_text_that_is_too_long_is_refused_and_not_truncated(alice: Any) -> None:
    with pytest.raises(DataError), transaction.atomic():
        open_session(new_session(alice, backend="x" * 256), new_device(alice))

    assert not Device.objects.exists()


def test_the_receiver_of_django_does_not_store_the_login_again(alice: Any) -> None:
    log_in(new_browser(), transport="token")

    alice.refresh_from_db()
    assert alice.last_login == Session.objects.get().last_seen_at


def test_a_site_without_djangos_receiver_stores_no_last_login(without_receiver: None, alice: Any) -> None:
    assert log_in(new_browser(), transport="token").status_code == 200

    alice.refresh_from_db()
    assert alice.last_login is None


def test_a_login_by_the_site_itself_is_stored_by_djangos_receiver(alice: Any) -> None:
    user_logged_in.send(sender=type(alice), request=None, user=alice)

    alice.refresh_from_db()
    assert alice.last_login is not None
