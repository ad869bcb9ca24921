"""A snapshot is deleted after its change is committed. Before that, another request would write the old one again."""

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


class RolledBack(Exception):
    """The change fails."""


@pytest.fixture
def deleted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The digests of deleted snapshots, in order."""
    dropped: list[tuple[str, ...]] = []
    monkeypatch.setattr(snapshots, "_forget_now", dropped.append)
    return dropped


def test_a_snapshot_is_deleted_after_the_commit_and_not_before(deleted: list[tuple[str, ...]]) -> None:
    with transaction.atomic():
        snapshots.forget("a", "b")
        before = list(deleted)

    assert (before, deleted) == ([], [("a", "b")])


def test_a_rolled_back_change_deletes_no_snapshot(deleted: list[tuple[str, ...]]) -> None:
    with pytest.raises(RolledBack), transaction.atomic():
        snapshots.forget("a")
        raise RolledBack

    assert deleted == []


def test_ending_a_session_deletes_its_snapshot_after_the_commit(
    alice: Any, caller: Caller, deleted: list[tuple[str, ...]]
) -> None:
    caller.log_in()
    with transaction.atomic():
        lifecycle.end_session(session_id=Session.objects.get().pk, user=alice, reason="revoked")
        before = list(deleted)

    assert before == []
    assert (digest(caller.credential),) in deleted


def read_in_parallel(credential: str) -> None:
    """Read the session as a parallel request does, on its own connection."""
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
            pool.submit(read_in_parallel, caller.credential).result(timeout=20)

    assert caller.get("me/").status_code == 401
