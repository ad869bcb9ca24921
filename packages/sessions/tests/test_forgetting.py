"""A snapshot is forgotten when its change is committed: before, another request would write the old one back."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import transaction

from auth_core.crypto.secrets import digest
from auth_core.testing.parallel import close_connections
from auth_core.testing.redis import OwnRedis
from auth_sessions import lifecycle
from auth_sessions.models import Session
from auth_sessions.revocation import snapshots
from conftest import Caller

pytestmark = pytest.mark.django_db(transaction=True)


class Undone(Exception):
    """The change fails for a reason of its own."""


@pytest.fixture
def forgotten(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What was dropped from the cache, in order."""
    dropped: list[tuple[str, ...]] = []
    monkeypatch.setattr(snapshots, "_forget_now", dropped.append)
    return dropped


def test_a_snapshot_is_deleted_after_the_commit_and_not_before(forgotten: list[tuple[str, ...]]) -> None:
    with transaction.atomic():
        snapshots.forget("a", "b")
        before = list(forgotten)

    assert (before, forgotten) == ([], [("a", "b")])


def test_a_rolled_back_change_deletes_no_snapshot(forgotten: list[tuple[str, ...]]) -> None:
    with pytest.raises(Undone), transaction.atomic():
        snapshots.forget("a")
        raise Undone

    assert forgotten == []


def test_ending_a_session_deletes_its_snapshot_after_the_commit(
    alice: Any, caller: Caller, forgotten: list[tuple[str, ...]]
) -> None:
    caller.log_in()
    with transaction.atomic():
        lifecycle.end_session(session_id=Session.objects.get().pk, user=alice, reason="revoked")
        before = list(forgotten)

    assert before == []
    assert (digest(caller.credential),) in forgotten


def read_elsewhere(credential: str) -> None:
    """Read the session as another request does, on a connection of its own."""
    try:
        snapshots.read(digest(credential))
    finally:
        close_connections()


@pytest.mark.postgresql
def test_a_parallel_request_does_not_restore_an_ended_session(shared: OwnRedis, alice: Any, caller: Caller) -> None:
    caller.log_in()
    caller.get("me/")

    with transaction.atomic():
        lifecycle.end_all_sessions(user=alice, reason="revoked")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(read_elsewhere, caller.credential).result(timeout=20)

    assert caller.get("me/").status_code == 401
