"""Signals of guessing."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from auth_sessions.risk_signals.base import Signal, Situation


class RecentFailures(Signal):
    """This person was guessed at lately: three wrong passwords or more are left in the budget of their address.

    The budget's own window counts (15 minutes, unless the site changed it); the right password took back only
    its own guess.
    """

    name, weight = "recent_failures", 20
    least = 3

    def seen(self, login: Situation) -> Mapping[str, Any] | None:
        """Return how many."""
        return {"failures": login.failures} if login.failures >= self.least else None

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("The password was guessed wrong %(failures)s times just before.") % data
