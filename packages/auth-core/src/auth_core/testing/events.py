"""The events that a test records."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from auth_core.events import Event, event_recorded


class RecordedOutsideTransaction(AssertionError):
    """An event was recorded outside a transaction. The change could then be rolled back without it."""


@contextmanager
def recording() -> Iterator[list[Event]]:
    """Collect the events of the block in order.

    Raises:
        RecordedOutsideTransaction: raised at the end, so that no view turns it into a 500.
    """
    recorded: list[Event] = []
    outside: list[str] = []

    def keep(event: Event, **kwargs: Any) -> None:
        recorded.append(event)
        if not transaction.get_connection().in_atomic_block:
            outside.append(event.name.value)

    event_recorded.connect(keep, weak=False)
    try:
        yield recorded
    finally:
        event_recorded.disconnect(keep)
    if outside:
        raise RecordedOutsideTransaction(", ".join(outside))
