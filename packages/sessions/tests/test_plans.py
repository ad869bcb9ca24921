"""Every frequent query is served by an index."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.signing import Signer

from auth_core.crypto.secrets import new_secret
from auth_core.people.lookup import matching_users
from auth_core.request.client import Client
from auth_core.testing.plans import plans_of, unindexed
from auth_sessions import concurrency, devices, history, lifecycle
from auth_sessions.models import Session
from auth_sessions.revocation import snapshots

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

SOME_USER = User(pk=1)


def _known_browser() -> Any:
    cookie = Signer(salt="auth_sessions.devices").sign(new_secret(devices.PREFIX))
    return devices.known_to(Client(device_credential=cookie), matching_users("alice@example.org"))


HOT: dict[str, Callable[[], Any]] = {
    "look up a session": lambda: snapshots._from_rows("x" * 64),
    "list a user's sessions": lambda: list(Session.objects.of(SOME_USER).live().order_by("-id")[:51]),
    "end one session": lambda: lifecycle.end_session(session_id=uuid4(), user=SOME_USER, reason="revoked"),
    "end the session of a request": lambda: lifecycle.end_current_session(
        session_id=uuid4(), user=SOME_USER, reason="logout"
    ),
    "end the other sessions": lambda: lifecycle.end_other_sessions(user=SOME_USER, keep=None, reason="revoked"),
    "end the sessions in which a user acts": lambda: lifecycle.end_acted_sessions(user=SOME_USER),
    "find the sessions of an application": lambda: list(Session.objects.unended().filter(application_id=uuid4())),
    "delete a user's snapshots": lambda: snapshots.forget_person(1),
    "delete dead rows": lifecycle.delete_dead,
    "rotate a user's sessions": lambda: lifecycle.rotate_sessions(user=SOME_USER),
    "assess a login": lambda: history.history_of(SOME_USER),
    "assess a login in a browser": lambda: history.history_of(SOME_USER, mark="x" * 64),
    "look for a known browser": lambda: list(_known_browser()),
    "make room for one more": lambda: concurrency._read(SOME_USER),
}


@pytest.mark.parametrize("query", HOT.values(), ids=HOT.keys())
def test_hot_queries_use_an_index(query: Callable[[], Any]) -> None:
    assert unindexed(query) == []


def test_the_sessions_of_an_application_and_of_an_actor_have_an_index_of_their_own() -> None:
    (of_application,) = plans_of(lambda: list(Session.objects.unended().filter(application_id=uuid4())))
    (of_actor,) = plans_of(lambda: list(Session.objects.acted_in_by(SOME_USER).unended()))

    assert "auth_sessions_live_of_app" in of_application
    assert "auth_sessions_live_of_actor" in of_actor


def test_a_query_without_an_index_is_detected() -> None:
    assert unindexed(lambda: list(Session.objects.filter(user_agent="x"))) != []
