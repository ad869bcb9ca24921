"""The deletion of many rows in batches.

One statement for all rows would hold their locks until it ends, and would lose its work when it is interrupted.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

#: Rows per batch.
SIZE = 1000


def delete_in_batches(rows: QuerySet[Any], *, skip_locked: bool = False) -> int:
    """Delete *rows*, as `deleting_in_batches`. Return how many."""
    return sum(deleting_in_batches(rows, skip_locked=skip_locked))


def deleting_in_batches(rows: QuerySet[Any], *, skip_locked: bool = False) -> Iterator[int]:
    """Delete *rows* in their order, and yield how many each batch deleted, with the rows that cascade.

    Outside a transaction each batch is committed separately. It ends with the first batch that deletes nothing. A row
    that changed after it was read, and no longer belongs to *rows*, is kept.

    Args:
        rows: A queryset that an index serves, in its order if it has one.
        skip_locked: Lock the rows, and skip those that another transaction has locked, such as one that renews them.
    """
    while deleted := _delete_batch(rows, skip_locked=skip_locked):
        yield deleted


def _delete_batch(rows: QuerySet[Any], *, skip_locked: bool) -> int:
    read = rows.select_for_update(skip_locked=True) if skip_locked else rows
    with transaction.atomic(using=read.db) if skip_locked else nullcontext():
        keys = list(read.values_list("pk", flat=True)[:SIZE])
        return rows.filter(pk__in=keys).delete()[0] if keys else 0
