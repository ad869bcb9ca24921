"""Parallel calls that end sessions: each session ends once and is recorded once."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import transaction

from auth_core.testing.parallel import at_once, one_winner
from auth_sessions import lifecycle
from auth_sessions.models import Session
from auth_sessions.models.session import SessionQuerySet
from conftest import Caller

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]


def end(session: Session, alice: Any) -> bool:
    return lifecycle.end_session(session_id=session.pk, user=alice, reason="revoked")


def sign_out(session: Session, alice: Any) -> bool:
    with transaction.atomic():
        return lifecycle.end_current_session(session_id=session.pk, user=alice, reason="logout")


@pytest.mark.asvs("15.4.2")
@pytest.mark.parametrize("way", [end, sign_out])
def test_only_one_of_50_parallel_calls_ends_a_session(
    way: Callable[[Session, Any], bool], alice: Any, caller: Caller, recorded_events: list[Any]
) -> None:
    def tasks(number: int) -> list[Callable[[], Any]]:
        assert number == 0 or caller.get("me/").status_code == 401
        caller.log_in()
        return [partial(way, Session.objects.live().get(), alice)] * 50

    assert one_winner(tasks, refusal={"False"}) == {"True": 20, "False": 49 * 20}
    assert sum(event.name.value == "session.session.ended" for event in recorded_events) == 20


def test_checking_before_the_update_would_record_it_twice(
    alice: Any, caller: Caller, recorded_events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SessionQuerySet.update

    def look_then_write(self: Any, **changes: Any) -> int:
        found = self.count()
        time.sleep(0.05)
        real(Session.objects.all(), **changes)
        return int(found)

    caller.log_in()
    session = Session.objects.live().get()
    monkeypatch.setattr(SessionQuerySet, "update", look_then_write)

    ended = at_once([partial(end, session, alice)] * 20)

    assert sum(ended) > 1, "the planted defect must be seen"
