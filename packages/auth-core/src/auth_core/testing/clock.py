"""A clock that stands still until a test moves it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import time_machine


class Clock:
    """The clock of one test; nothing moves it but the test."""

    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    @property
    def now(self) -> datetime:
        """The moment at which it stands."""
        return datetime.now(tz=UTC)

    def forward(self, **units: float) -> datetime:
        """Move it, such as ``forward(minutes=5)``; return the moment at which it stands then.

        Args:
            units: As `datetime.timedelta` names them.
        """
        self._traveller.shift(timedelta(**units))
        return self.now

    def set(self, moment: datetime) -> datetime:
        """Set it to *moment*, which has a time zone; return it."""
        self._traveller.move_to(moment, tick=False)
        return self.now


@contextmanager
def stopped_clock(moment: datetime | None = None) -> Iterator[Clock]:
    """Stop the clock at *moment*, or now."""
    with time_machine.travel(moment or datetime.now(tz=UTC), tick=False) as traveller:
        yield Clock(traveller)
