"""Queries about devices and searches of administrators are served by an index."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User

from auth_core.contracts import Transport
from auth_core.request.client import Client
from auth_core.testing.factories import make_user
from auth_core.testing.plans import unindexed
from auth_sessions import devices
from auth_sessions.api.search_views import found_sessions
from auth_sessions.models import Device

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

SOME_USER = User(pk=1)
SOME_DEVICE = Device(pk=uuid4(), user=SOME_USER)
NO_FILTERS = dict.fromkeys(("subject", "device", "network", "risk_min", "live"))


def search(**filters: Any) -> Callable[[], Any]:
    rows = found_sessions(SimpleNamespace(**NO_FILTERS | filters))
    return lambda: list(rows.order_by("-id")[:51])


HOT: dict[str, Callable[[], Any]] = {
    "find a device": lambda: devices.own_device(user=SOME_USER, device_id=SOME_DEVICE.pk),
    "list a user's devices": lambda: list(Device.objects.of(SOME_USER).order_by("-id")[:51]),
    "origins of devices": lambda: devices.origins_of([SOME_DEVICE]),
    "block a device": lambda: devices.block_device(device=SOME_DEVICE),
    "end the sessions of a device": lambda: devices.end_sessions_of_device(
        user=SOME_USER, device_id=SOME_DEVICE.pk, reason="device_blocked"
    ),
    "search without filters": search(),
    "search by user": search(subject=uuid4()),
    "search by device": search(device=uuid4()),
    "search by network": search(network="192.0.2.1"),
    "search by risk": search(risk_min=80),
    "search live sessions": search(live=True),
    "search ended sessions": search(live=False),
    "search by all filters": search(subject=uuid4(), device=uuid4(), network="192.0.2.1", risk_min=80, live=True),
}


@pytest.mark.parametrize("query", HOT.values(), ids=HOT.keys())
def test_hot_queries_use_an_index(query: Callable[[], Any]) -> None:
    assert unindexed(query) == []


def test_recognising_a_device_uses_an_index() -> None:
    person = make_user()

    assert unindexed(lambda: devices.recognise(user=person, client=Client(), transport=Transport.COOKIE)) == []
    assert unindexed(lambda: devices.recognise(user=person, client=Client(), transport=Transport.TOKEN)) == []


def test_a_search_without_an_index_is_detected() -> None:
    assert unindexed(lambda: list(Device.objects.filter(name="x"))) != []
