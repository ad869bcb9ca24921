"""Risk signals of password guessing."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from auth_sessions.risk_signals.base import LoginContext, Signal


class RecentFailures(Signal):
    """Someone tried to guess this user's password: at least three failures count in the budget of their address.

    The window of the budget applies (15 minutes by default). A correct password refunds only its own guess.
    """

    name, weight = "recent_failures", 20
    least = 3

    def detect(self, login: LoginContext) -> Mapping[str, Any] | None:
        """Return the number of failures."""
        return {"failures": login.failures} if login.failures >= self.least else None

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("The password was entered incorrectly %(failures)s times just before.") % data
