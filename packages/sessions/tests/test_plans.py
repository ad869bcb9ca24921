"""Every query of a hot path has its index."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from auth_core.testing.plans import unindexed
from auth_sessions import lifecycle, snapshots
from auth_sessions.models import Session

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

SOMEBODY = User(pk=1)

HOT: dict[str, Callable[[], Any]] = {
    "restore a session": lambda: snapshots._from_rows("x" * 64),
    "list somebody's sessions": lambda: list(Session.objects.of(SOMEBODY).live().order_by("-id")[:51]),
    "end one": lambda: lifecycle.end_session(session_id=uuid4(), user=SOMEBODY, reason="revoked"),
    "end the others": lambda: lifecycle.end_other_sessions(user=SOMEBODY, keep=None, reason="revoked"),
    "drop somebody's snapshots": lambda: snapshots.forget_person(1),
    "sweep dead rows": lambda: list(
        Session.objects.filter(Q(ended_at__lt=timezone.now()) | Q(expires_at__lt=timezone.now()))[:1000]
    ),
}


@pytest.mark.parametrize("ask", HOT.values(), ids=HOT.keys())
def test_an_index_serves_it(ask: Callable[[], Any]) -> None:
    assert unindexed(ask) == []


def test_a_query_without_an_index_is_seen() -> None:
    assert unindexed(lambda: list(Session.objects.filter(user_agent="x"))) != []
