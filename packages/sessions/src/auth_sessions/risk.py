"""How much a login looks like its person, from 0 (as always) to 100, and what follows from it.

The score is the sum of the weights of the signals that are there, 100 at the most. It
is kept with its reasons: whoever asks why is told (`explain`).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext as _

from auth_core import limits
from auth_core.assurance.levels import Assessment, Demand, Weighed
from auth_core.people import lookup
from auth_core.request.client import Client
from auth_sessions import devices, geo
from auth_sessions.conf import sessions
from auth_sessions.history import History, history_of
from auth_sessions.risk_signals import SIGNALS, SignalLost, Situation

MOST = 100

#: A signal that was configured and could not be asked; weighs enough for a second factor.
LOST = "signal_lost"

#: The reason of a login in a browser that its owner or an administrator has blocked.
BLOCKED = "device_blocked"


class AssessLogin:
    """A `RiskAssessor`: scores a login and demands what `RISK_BANDS` says; a blocked device is refused."""

    def assess(self, user: Any, client: Client) -> Assessment:
        """Return score, reasons and demand; no side effect.

        One query after a password that was typed with the primary address, else two; and one more for
        a cookie of somebody who has no login any more that we remember.
        """
        try:
            history = history_of(user, mark=devices.mark_of(client))
            if history.is_device_blocked:
                return Assessment(MOST, (Weighed(BLOCKED, MOST),), Demand.DENY)
            reasons = weigh(_situation(user, client, history))
        except (SignalLost, geo.GeoLost, DatabaseError):
            return Assessment(sessions.RISK_NEUTRAL, (Weighed(LOST, sessions.RISK_NEUTRAL),), Demand.SECOND_FACTOR)
        score = min(MOST, sum(reason.weight for reason in reasons))
        return Assessment(score, reasons, demand_of(score))


def weigh(login: Situation) -> tuple[Weighed, ...]:
    """Return the signals that are there, the heaviest first; one with a weight of 0 is not asked.

    Raises:
        SignalLost: one that was configured cannot be asked.
    """
    weights = {name: sessions.RISK_WEIGHTS.get(name, signal.weight) for name, signal in SIGNALS.items()}
    seen = [(name, weight, SIGNALS[name].seen(login)) for name, weight in weights.items() if weight]
    reasons = [Weighed(name, weight, data) for name, weight, data in seen if data is not None]
    return tuple(sorted(reasons, key=lambda reason: -reason.weight))


def demand_of(score: int) -> Demand:
    """Return what a login with *score* must prove: of the bands that begin at or below it, the highest."""
    reached = [demand for begins, demand in sorted(sessions.RISK_BANDS) if score >= begins]
    return Demand(reached[-1]) if reached else Demand.NONE


def explain(reasons: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return stored reasons with a sentence of evidence each, in the reader's language."""
    return [
        {"signal": reason["signal"], "weight": reason["weight"], "evidence": _sentence(reason)} for reason in reasons
    ]


def _situation(user: Any, client: Client, history: History) -> Situation:
    address = lookup.email_part(user)["address"]
    return Situation(
        user=user,
        client=client,
        at=timezone.now(),
        place=geo.place_of(client.ip),
        logins=history.logins,
        last_login_at=_latest([login.at for login in history.logins[:1]], getattr(user, "last_login", None)),
        is_device_known=history.is_device_known,
        failures=limits.spent("login", identifier=address, user=user) if address else 0,
    )


def _latest(known: list[datetime], last_login: datetime | None) -> datetime | None:
    """Return when somebody signed in last; Django's own note outlives the rows of sessions."""
    return max([*known, *([last_login] if last_login else [])], default=None)


def _sentence(reason: Mapping[str, Any]) -> str:
    name: str = reason["signal"]
    signal = SIGNALS.get(name)
    if signal is not None:
        return signal.sentence(reason["data"])
    # A signal of an older version: its name is all that is known.
    return {LOST: _("A signal could not be asked."), BLOCKED: _("This device is blocked.")}.get(name, name)
