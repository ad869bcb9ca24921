"""A clock that only moves when a test moves it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import time_machine


class Clock:
    """The stopped clock of one test."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    @property
    def now(self) -> datetime:
        """The current time of the clock."""
        return datetime.now(tz=UTC)

    def forward(self, **units: float) -> datetime:
        """Move the clock forward, as in ``forward(minutes=5)``, and return the new time.

        Args:
            units: Arguments of `datetime.timedelta`.
        """
        self._traveller.shift(timedelta(**units))
        return self.now

    def set(self, moment: datetime) -> datetime:
        """Set the clock to *moment*, which must have a time zone, and return it."""
        self._traveller.move_to(moment, tick=False)
        return self.now


@contextmanager
def stopped_clock(moment: datetime | None = None) -> Iterator[Clock]:
    """Stop the clock at *moment*, by default now."""
    with time_machine.travel(moment or datetime.now(tz=UTC), tick=False) as traveller:
        yield Clock(traveller)
