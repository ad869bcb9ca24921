"""Parallel use of devices: one row each, one use of a link, and no session in a blocked device."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from auth_core.models.one_time_link import OneTimeLink
from auth_core.request.client import Client
from auth_core.testing.browsers import log_in, new_browser
from auth_core.testing.parallel import at_once, one_winner, tally
from auth_sessions import devices
from auth_sessions.models import Device, NotMeLink, Session
from auth_sessions.not_me import revoke_by_link

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

ROUNDS = 5


@pytest.fixture(autouse=True)
def wide_budgets(settings: Any) -> None:
    settings.AUTH_CORE = {
        **settings.AUTH_CORE,
        "BUDGETS": {"login": {"identifier": (10_000, timedelta(hours=1)), "network": (10_000, timedelta(hours=1))}},
        "OUTBOX_RELAY": "manual",
        "PUBLIC_URL": "https://auth.example.org",
    }


def cookie() -> str:
    """Return a valid device cookie of a browser in which no user has signed in yet."""
    browser = new_browser()
    log_in(browser)
    Device.objects.all().delete()
    return str(browser.cookies["__Host-device"].value)


def log_in_with(value: str) -> Any:
    browser = new_browser()
    browser.cookies["__Host-device"] = value
    return log_in(browser)


def test_ten_parallel_logins_in_a_new_browser_add_one_device(alice: Any) -> None:
    for _round in range(ROUNDS):
        value = cookie()

        granted = at_once([partial(log_in_with, value)] * 10)

        assert {answer.status_code for answer in granted} == {200}
        assert Device.objects.count() == 1
        assert set(Session.objects.order_by("-pk").values_list("device_id", flat=True)[:10]) == {
            Device.objects.get().pk
        }


def test_blocking_a_device_during_logins_leaves_no_session(alice: Any) -> None:
    for _round in range(ROUNDS):
        value = cookie()
        log_in_with(value)
        device = Device.objects.get()

        results = at_once([*[partial(log_in_with, value)] * 8, partial(devices.block_device, device=device)])

        assert results[-1] is True
        assert {answer.status_code for answer in results[:-1]} <= {200, 403}
        assert not Session.objects.unended().filter(device_id=device.pk).exists()
        device.delete()


def test_ending_sessions_before_the_block_would_leave_one(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_then_block(*, device: Device) -> None:
        keys = list(Session.objects.unended().filter(device_id=device.pk).values_list("pk", flat=True))
        time.sleep(0.5)
        Session.objects.filter(pk__in=keys).update(ended_at="2026-01-01T00:00:00Z")
        Device.objects.filter(pk=device.pk).update(blocked_at="2026-01-01T00:00:00Z")

    value = cookie()
    log_in_with(value)
    device = Device.objects.get()
    monkeypatch.setattr(devices, "block_device", look_then_block)

    at_once([*[partial(log_in_with, value)] * 8, partial(devices.block_device, device=device)])

    assert Session.objects.unended().filter(device_id=device.pk).exists(), "the planted defect must be seen"


def _link(alice: Any) -> str:
    device = Device.objects.create(user=alice, digest="x", has_cookie=True, kind="desktop")
    link: NotMeLink = NotMeLink.objects.open(user=alice, device_id=device.pk)
    return link.token


def test_only_one_of_20_parallel_uses_of_a_link_works(alice: Any, recorded_events: list[Any]) -> None:
    def tasks(number: int) -> list[Callable[[], Any]]:
        Device.objects.all().delete()
        return [partial(revoke_by_link, token=_link(alice), client=Client())] * 20

    assert one_winner(tasks, refusal={"link_invalid"}, rounds=ROUNDS)["link_invalid"] == 19 * ROUNDS
    assert [event.name.value for event in recorded_events].count("session.login.reported") == ROUNDS


def test_checking_before_the_update_would_use_a_link_twice(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_then_write(link: OneTimeLink) -> bool:
        unspent = type(link)._default_manager.filter(pk=link.pk, spent_at=None).exists()
        time.sleep(0.05)
        return unspent

    monkeypatch.setattr(OneTimeLink, "spend", look_then_write)

    results = tally(at_once([partial(revoke_by_link, token=_link(alice), client=Client())] * 10))

    assert results["NoneType"] > 1, "the planted defect must be seen"
