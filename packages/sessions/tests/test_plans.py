"""Every query of a hot path has its index."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.signing import Signer

from auth_core.crypto.secrets import new_secret
from auth_core.people.lookup import named_by
from auth_core.request.client import Client
from auth_core.testing.plans import unindexed
from auth_sessions import concurrency, devices, history, lifecycle
from auth_sessions.models import Session
from auth_sessions.revocation import snapshots

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

SOMEBODY = User(pk=1)


def _known_browser() -> Any:
    cookie = Signer(salt="auth_sessions.devices").sign(new_secret(devices.PREFIX))
    return devices.known_to(Client(device_credential=cookie), named_by("alice@example.org"))


HOT: dict[str, Callable[[], Any]] = {
    "restore a session": lambda: snapshots._from_rows("x" * 64),
    "list somebody's sessions": lambda: list(Session.objects.of(SOMEBODY).live().order_by("-id")[:51]),
    "end one": lambda: lifecycle.end_session(session_id=uuid4(), user=SOMEBODY, reason="revoked"),
    "end the others": lambda: lifecycle.end_other_sessions(user=SOMEBODY, keep=None, reason="revoked"),
    "drop somebody's snapshots": lambda: snapshots.forget_person(1),
    "sweep dead rows": lifecycle.delete_dead,
    "rotate somebody's": lambda: lifecycle.rotate_sessions(user=SOMEBODY),
    "weigh a login": lambda: history.history_of(SOMEBODY),
    "weigh a login in a browser": lambda: history.history_of(SOMEBODY, mark="x" * 64),
    "look for a known browser": lambda: list(_known_browser()),
    "make room for one more": lambda: concurrency._read(SOMEBODY),
}


@pytest.mark.parametrize("ask", HOT.values(), ids=HOT.keys())
def test_hot_queries_use_an_index(ask: Callable[[], Any]) -> None:
    assert unindexed(ask) == []


def test_a_query_without_an_index_is_detected() -> None:
    assert unindexed(lambda: list(Session.objects.filter(user_agent="x"))) != []
