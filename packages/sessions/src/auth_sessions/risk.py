"""The risk score of a login, from 0 (as usual) to 100, and the demand that follows from it.

The score is the sum of the weights of the signals that are present, 100 at most. It is stored with its reasons, which
`explain` puts into sentences.
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
from auth_core.registries import Occasion, PersonRead
from auth_core.request.client import Client
from auth_core.users import UserLike
from auth_sessions import devices, geo, history
from auth_sessions.conf import sessions
from auth_sessions.history import History
from auth_sessions.models import Device, Session
from auth_sessions.risk_signals import SIGNALS, LoginContext, SignalUnavailable

MAX_SCORE = 100

#: The reason when a configured signal is unavailable. It demands a second factor.
SIGNAL_UNAVAILABLE = "signal_lost"

#: The reason of a login in a browser that its owner or an administrator has blocked.
BLOCKED = "device_blocked"


class AssessLogin:
    """A `RiskAssessor` that scores a login and applies `RISK_BANDS`. It denies a blocked device."""

    def assess(self, user: UserLike, client: Client) -> Assessment:
        """Return score, reasons and demand. It has no side effect.

        One query after a password login with the primary address, otherwise two. One more for a client with a device
        cookie when no session of the user is kept.
        """
        try:
            past = history.history_of(user, mark=devices.mark_of(client))
            if past.is_device_blocked:
                return Assessment(MAX_SCORE, (Weighed(BLOCKED, MAX_SCORE),), Demand.DENY)
            reasons = weigh(_context_of(user, client, past))
        except (SignalUnavailable, geo.GeoDatabaseUnreadable, DatabaseError):
            return Assessment(
                sessions.RISK_NEUTRAL, (Weighed(SIGNAL_UNAVAILABLE, sessions.RISK_NEUTRAL),), Demand.SECOND_FACTOR
            )
        score = min(MAX_SCORE, sum(reason.weight for reason in reasons))
        return Assessment(score, reasons, demand_of(score))


#: What `AssessLogin` reads of the past, with what other packages read at a login.
HISTORY_READ = PersonRead(
    occasions=frozenset({Occasion.RISK}),
    models=lambda: (Session, Device),
    sql=history.person_sql,
    keep=history.keep,
    values=lambda client: {"sessions_mark": devices.mark_of(client)},
)


def weigh(login: LoginContext) -> tuple[Weighed, ...]:
    """Return the signals that are present, the heaviest first. A signal with weight 0 is not evaluated.

    Raises:
        SignalUnavailable: a configured signal is unavailable.
    """
    weights = {name: sessions.RISK_WEIGHTS.get(name, signal.weight) for name, signal in SIGNALS.items()}
    results = [(name, weight, SIGNALS[name].detect(login)) for name, weight in weights.items() if weight]
    reasons = [Weighed(name, weight, data) for name, weight, data in results if data is not None]
    return tuple(sorted(reasons, key=lambda reason: -reason.weight))


def demand_of(score: int) -> Demand:
    """Return the demand of *score*: that of the highest band that begins at or below it."""
    demands = [demand for begins, demand in sorted(sessions.RISK_BANDS) if score >= begins]
    return Demand(demands[-1]) if demands else Demand.NONE


def explain(reasons: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return stored reasons with one sentence of evidence each, in the reader's language."""
    return [
        {"signal": reason["signal"], "weight": reason["weight"], "evidence": _sentence(reason)} for reason in reasons
    ]


def _context_of(user: UserLike, client: Client, past: History) -> LoginContext:
    address = lookup.email_part(user)["address"]
    return LoginContext(
        user=user,
        client=client,
        at=timezone.now(),
        location=geo.location_of(client.ip),
        logins=past.logins,
        last_login_at=_latest([login.at for login in past.logins[:1]], getattr(user, "last_login", None)),
        is_device_known=past.is_device_known,
        failures=limits.take_spent("login", identifier=address, user=user) if address else 0,
    )


def _latest(moments: list[datetime], last_login: datetime | None) -> datetime | None:
    """Return the time of the last login. Django's own ``last_login`` outlives the session rows."""
    return max([*moments, *([last_login] if last_login else [])], default=None)


def _sentence(reason: Mapping[str, Any]) -> str:
    name: str = reason["signal"]
    signal = SIGNALS.get(name)
    if signal is not None:
        return signal.sentence(reason["data"])
    # A signal of an older version. Only its name is known.
    return {SIGNAL_UNAVAILABLE: _("A risk signal was unavailable."), BLOCKED: _("This device is blocked.")}.get(
        name, name
    )
