"""Devices: when they are known, and how they are renamed, blocked and forgotten."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.signing import Signer
from django.test import Client as Browser

from auth_core.contracts import Transport
from auth_core.crypto.secrets import digest, new_secret
from auth_core.events import AuthEvent, Event
from auth_core.models import OutboxMessage
from auth_core.request.client import Client
from auth_core.testing.browsers import code_of, log_in, new_browser
from auth_core.testing.clock import Clock
from auth_core.testing.counts import counted
from auth_core.testing.factories import make_user
from auth_core.testing.settings import redis_url
from auth_sessions import devices
from auth_sessions.events import SessionEvent
from auth_sessions.history import history_of
from auth_sessions.models import Device, Session
from conftest import Caller

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

COOKIE = "__Host-device"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


def cookie_of(browser: Browser) -> str:
    return browser.cookies[COOKIE].value


def with_cookie(value: str) -> Browser:
    browser = new_browser()
    browser.cookies[COOKIE] = value
    return browser


def with_agent(browser: Browser, user_agent: str) -> Browser:
    browser.defaults["HTTP_USER_AGENT"] = user_agent
    return browser


def newest() -> Session:
    return Session.objects.latest("pk")


def is_known(user: Any, browser: Browser) -> bool:
    client = Client(device_credential=cookie_of(browser))
    return history_of(user, mark=devices.mark_of(client)).is_device_known


def names(events: list[Event]) -> list[str]:
    return [event.name.value for event in events]


def test_the_first_login_in_a_browser_adds_a_device(alice: Any, recorded_events: list[Event]) -> None:
    browser = new_browser()

    log_in(with_agent(browser, FIREFOX))

    device = Device.objects.get()
    cookie = browser.cookies[COOKIE]
    secret, _colon, _signature = cookie.value.rpartition(":")
    assert (secret[:4], len(secret)) == ("ead_", 47)
    assert (device.user, device.digest, device.has_cookie) == (alice, digest(secret), True)
    assert (newest().device_id, newest().device_known) == (device.pk, False)
    assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
    assert cookie["max-age"] == 400 * 24 * 3600
    assert names(recorded_events).count("session.device.added") == 1


def test_a_browser_is_known_at_its_second_login(alice: Any) -> None:
    browser = new_browser()
    log_in(browser)

    again = with_cookie(cookie_of(browser))
    log_in(again)

    assert Device.objects.count() == 1
    assert newest().device_known is True
    assert newest().facts.device_known is True
    assert cookie_of(again) == cookie_of(browser)


def test_the_table_stores_only_the_digest(alice: Any) -> None:
    browser = new_browser()
    log_in(browser)

    secret = cookie_of(browser).rpartition(":")[0]

    assert secret not in str(Device.objects.values().get())
    assert secret not in repr(Client(device_credential=cookie_of(browser)))


def test_a_shared_browser_is_known_to_each_user_after_their_own_login(alice: Any) -> None:
    bob = make_user("bob@example.org")
    browser = new_browser()
    log_in(browser)

    first = with_cookie(cookie_of(browser))
    log_in(first, identifier="bob@example.org")
    known_at_first = newest().device_known
    log_in(with_cookie(cookie_of(browser)), identifier="bob@example.org")

    assert (known_at_first, newest().device_known) == (False, True)
    assert cookie_of(first) == cookie_of(browser)
    assert Device.objects.of(alice).get().pk != Device.objects.of(bob).get().pk


def _forged(value: str) -> str:
    return new_secret("ead") + value[value.index(":") :]


def _foreign(value: str) -> str:
    return Signer(key="another site's", salt="auth_sessions.devices").sign(value.rpartition(":")[0])


def _of_another_salt(value: str) -> str:
    return Signer(salt="django.contrib.messages").sign(value.rpartition(":")[0])


BAD = {
    "forged": _forged,
    "foreign": _foreign,
    "signed for something else": _of_another_salt,
    "truncated": lambda value: value[:-1],
    "without its signature": lambda value: value.rpartition(":")[0],
    "doubled": lambda value: value * 2,
    "a session's": lambda value: new_secret("eas"),
    "ten thousand characters": lambda value: value + "x" * 10_000,
    "no ASCII": lambda value: "é" * 91,
    "empty": lambda value: "",
}


@pytest.mark.parametrize("spoil", BAD.values(), ids=BAD.keys())
def test_an_invalid_cookie_counts_as_none_and_costs_no_query(spoil: Any, alice: Any) -> None:
    browser = new_browser()
    log_in(browser)
    bad = spoil(cookie_of(browser))

    with counted() as cost:
        mark = devices.mark_of(Client(device_credential=bad))
    stranger = with_cookie(bad)
    log_in(stranger)

    assert (mark, cost.queries) == ("", 0)
    assert newest().device_known is False
    assert cookie_of(stranger) not in (bad, cookie_of(browser))


def test_a_stolen_cookie_is_known_to_its_owner_only(alice: Any) -> None:
    bob = make_user("bob@example.org")
    browser = new_browser()
    log_in(browser)

    assert not is_known(bob, browser)
    assert is_known(alice, browser)


def test_a_cookie_stays_valid_after_a_key_rotation(alice: Any, settings: Any) -> None:
    browser = new_browser()
    log_in(browser)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new" * 20, [settings.SECRET_KEY]
    again = with_cookie(cookie_of(browser))
    log_in(again)
    settings.SECRET_KEY_FALLBACKS = []

    assert newest().device_known is True
    assert is_known(alice, again)
    assert not is_known(alice, browser)


def test_a_caller_without_cookies_is_described_and_never_known(alice: Any) -> None:
    for _login in range(2):
        caller = Caller()
        caller.http.defaults["HTTP_USER_AGENT"] = "okhttp/4.9"
        caller.log_in()

    device = Device.objects.get()
    assert (device.kind, device.browser, device.has_cookie) == ("app", "okhttp", False)
    assert (newest().device_id, newest().device_known) == (device.pk, False)
    assert COOKIE not in caller.http.cookies


def test_a_known_device_costs_one_query_and_a_new_one_two(alice: Any) -> None:
    browser = new_browser()
    log_in(browser)
    client, app = Client(device_credential=cookie_of(browser)), Client(user_agent="curl/8")

    with counted() as known_device:
        devices.recognise(user=alice, client=client, transport=Transport.COOKIE)
    with counted() as new_device:
        devices.recognise(user=alice, client=Client(), transport=Transport.COOKIE)
    with counted() as new_app:
        devices.recognise(user=alice, client=app, transport=Transport.TOKEN)
    with counted() as known_app:
        devices.recognise(user=alice, client=app, transport=Transport.TOKEN)

    assert [cost.queries for cost in (known_device, new_device, new_app, known_app)] == [1, 2, 2, 1]


def test_the_history_query_reads_whether_the_device_is_known(alice: Any) -> None:
    browser = new_browser()
    log_in(browser)
    mark = devices.mark_of(Client(device_credential=cookie_of(browser)))

    with counted() as cost:
        history = history_of(alice, mark=mark)
    Session.objects.all().delete()
    with counted() as cost_without_logins:
        without_logins = history_of(alice, mark=mark)

    assert (cost.queries, cost_without_logins.queries) == (1, 2)
    assert [history.is_device_known, without_logins.is_device_known] == [True, True]
    assert [len(history.logins), len(without_logins.logins)] == [1, 0]


def test_a_blocked_device_is_detected_with_and_without_past_logins(alice: Any) -> None:
    browser = new_browser()
    log_in(browser)
    mark = devices.mark_of(Client(device_credential=cookie_of(browser)))
    devices.block_device(device=Device.objects.get())

    history = history_of(alice, mark=mark)
    Session.objects.all().delete()
    without_logins = history_of(alice, mark=mark)

    assert [history.is_device_blocked, without_logins.is_device_blocked] == [True, True]


def test_a_device_keeps_its_name_after_another_login(alice: Any) -> None:
    browser = with_agent(new_browser(), FIREFOX)
    log_in(browser)
    device = Device.objects.get()
    devices.rename_device(device=device, name="Desk")

    log_in(with_cookie(cookie_of(browser)))

    again = Device.objects.get()
    assert (again.pk, again.name, again.first_seen_at) == (device.pk, "Desk", device.first_seen_at)
    assert (again.browser, again.last_seen_at > device.last_seen_at) == ("", True)


def test_a_user_agent_of_ten_kilobytes_signs_in(alice: Any) -> None:
    granted = log_in(with_agent(new_browser(), "x" * 10_240))

    assert granted.status_code == 200
    assert Device.objects.get().kind == "other"


def test_a_blocked_device_cannot_sign_in(alice: Any, recorded_events: list[Event]) -> None:
    browser = new_browser()
    log_in(browser)

    blocked = devices.block_device(device=Device.objects.get())
    refused = log_in(with_cookie(cookie_of(browser)))

    assert blocked
    assert (refused.status_code, code_of(refused)) == (403, "login_denied")
    assert Session.objects.get().ended_reason == "device_blocked"
    assert [event.reason for event in recorded_events if event.name is AuthEvent.LOGIN_DENIED] == ["place"]
    assert browser.get("/api/v1/me/").status_code == 401


def test_an_unblocked_device_can_sign_in_again(alice: Any) -> None:
    browser = new_browser()
    log_in(browser)
    devices.block_device(device=Device.objects.get())

    devices.unblock_device(device=Device.objects.get())

    assert log_in(with_cookie(cookie_of(browser))).status_code == 200
    assert newest().device_known is True


def test_a_device_is_blocked_for_one_user_only(alice: Any) -> None:
    make_user("bob@example.org")
    browser = new_browser()
    log_in(browser)
    devices.block_device(device=Device.objects.get())

    assert log_in(with_cookie(cookie_of(browser)), identifier="bob@example.org").status_code == 200


def test_a_forgotten_device_is_new_at_its_next_login(alice: Any) -> None:
    browser, elsewhere = new_browser(), new_browser()
    log_in(browser)
    first = newest()
    log_in(elsewhere)

    devices.forget_device(device=Device.objects.get(pk=first.device_id))
    first.refresh_from_db()
    log_in(with_cookie(cookie_of(browser)))

    assert first.ended_reason == "device_forgotten"
    assert newest().device_known is False
    assert elsewhere.get("/api/v1/me/").status_code == 200


CHANGES: dict[str, tuple[Any, SessionEvent]] = {
    "rename": (lambda device: devices.rename_device(device=device, name="Desk"), SessionEvent.DEVICE_RENAMED),
    "block": (lambda device: devices.block_device(device=device), SessionEvent.DEVICE_BLOCKED),
    "unblock": (lambda device: devices.unblock_device(device=device), SessionEvent.DEVICE_UNBLOCKED),
    "forget": (lambda device: devices.forget_device(device=device), SessionEvent.DEVICE_FORGOTTEN),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_made_and_recorded_once(name: str, alice: Any, recorded_events: list[Event]) -> None:
    change, event = CHANGES[name]
    device = Device(pk=uuid4(), user=alice, digest="x", has_cookie=True, kind="desktop")

    assert not change(device), "A deleted device cannot be changed."
    device.save(force_insert=True)
    if name == "unblock":
        devices.block_device(device=device)
    changed = [change(device), change(device)]

    assert changed == [True, name == "rename"]
    assert names(recorded_events).count(event.value) == sum(changed)
    assert recorded_events[-1].target == ("device", str(device.pk))


def test_a_block_during_a_login_is_enforced(alice: Any) -> None:
    browser = new_browser()
    log_in(browser)
    client = Client(device_credential=cookie_of(browser))

    Device.objects.update(blocked_at="2026-01-01T00:00:00Z")
    with pytest.raises(devices.LoginDenied):
        devices.recognise(user=alice, client=client, transport=Transport.COOKIE)


def test_a_device_forgotten_during_a_login_is_added_again(alice: Any) -> None:
    browser = new_browser()
    log_in(browser)
    client = Client(device_credential=cookie_of(browser))

    Device.objects.all().delete()
    recognised = devices.recognise(user=alice, client=client, transport=Transport.COOKIE)

    assert (recognised.is_known, recognised.is_new) == (False, True)
    assert Device.objects.get() == recognised.device


def test_devices_are_deleted_with_their_user(alice: Any) -> None:
    browser = new_browser()
    log_in(browser)

    alice.delete()

    assert Device.objects.count() == 0
    assert log_in(with_cookie(cookie_of(browser))).status_code == 401


def test_expired_devices_are_deleted_and_blocked_ones_are_kept(alice: Any, clock: Any) -> None:
    for browser in (new_browser(), new_browser()):
        log_in(browser)
    devices.block_device(device=Device.objects.latest("pk"))
    clock.forward(days=401)

    log_in(new_browser())

    assert devices.delete_unseen() == 1
    assert Device.objects.filter(blocked_at__isnull=False).count() == 1
    assert Device.objects.count() == 2


def test_the_data_export_contains_devices(alice: Any) -> None:
    log_in(with_agent(new_browser(), FIREFOX))

    (exported,) = devices.export_of(alice)

    assert (exported["browser"], exported["os"]) == ("Firefox", "Linux")
    assert "digest" not in exported


def test_repeated_logins_do_not_flood_the_mailbox(alice: Any, settings: Any, clock: Clock) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "NEW_DEVICE_MAILS": 3}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOX_RELAY": "manual", "PUBLIC_URL": "https://auth.example.org"}
    for _login in range(6):
        log_in(new_browser())
    mails = OutboxMessage.objects.count()

    clock.forward(minutes=61)
    log_in(new_browser())

    assert (mails, OutboxMessage.objects.count()) == (2, 3)
    assert Device.objects.count() == 7
