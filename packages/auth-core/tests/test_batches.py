"""Deletion in batches: every row once, each batch separately, and no row that changed meanwhile."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from auth_core.models import OutboxMessage
from auth_core.runtime import batches
from auth_core.runtime.batches import delete_in_batches, deleting_in_batches

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "SIZE", 2)


@pytest.fixture
def settled() -> QuerySet[OutboxMessage]:
    """Five settled messages, the oldest first, beside one that waits."""
    now = timezone.now()
    OutboxMessage.objects.bulk_create(
        OutboxMessage(channel="email", template=f"t{age}", settled_at=now - timedelta(days=age)) for age in range(1, 6)
    )
    OutboxMessage.objects.create(channel="email", template="waiting")
    return OutboxMessage.objects.settled_before(now).order_by("settled_at")


def left() -> set[str]:
    return set(OutboxMessage.objects.values_list("template", flat=True))


@pytest.mark.parametrize("skip_locked", [False, True])
def test_all_rows_of_the_queryset_are_deleted_and_no_other(settled: Any, skip_locked: bool) -> None:
    assert delete_in_batches(settled, skip_locked=skip_locked) == 5
    assert left() == {"waiting"}


def test_batches_follow_the_order_of_the_queryset(settled: Any) -> None:
    deleting = deleting_in_batches(settled)

    assert next(deleting) == 2
    assert left() == {"t1", "t2", "t3", "waiting"}
    assert list(deleting) == [2, 1]


def test_a_row_that_changed_since_it_was_read_is_kept(settled: Any) -> None:
    def change_first(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("DELETE") and not changed:
            changed.append(OutboxMessage.objects.filter(template="t5").update(settled_at=None))
        return execute(sql, params, many, context)

    changed: list[int] = []
    with connection.execute_wrapper(change_first):
        assert delete_in_batches(settled) == 4

    assert changed == [1]
    assert left() == {"t5", "waiting"}


def test_nothing_to_delete_costs_one_query() -> None:
    with CaptureQueriesContext(connection) as queries:
        assert delete_in_batches(OutboxMessage.objects.all()) == 0

    assert len(queries) == 1
