"""Risk signals of the time of a login."""

import zoneinfo
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from django.utils.translation import gettext as _

from auth_core.users import UserLike
from auth_sessions.risk_signals.base import LoginContext, Signal


class UnusualHour(Signal):
    """The user does not usually sign in at this hour of the day.

    The usual hours are the smallest set of hours that holds 95 % of the logins of the last 60 days. At least 20 logins
    are needed. Hours are in the user's time zone if it is known, otherwise in UTC.
    """

    name, weight = "unusual_hour", 10
    days, least_logins, share = timedelta(days=60), 20, 0.95

    def detect(self, login: LoginContext) -> Mapping[str, Any] | None:
        """Return the hour."""
        zone = _zone_of(login.user)
        hours = [_hour(past.at, zone) for past in login.logins if login.at - past.at <= self.days]
        hour = _hour(login.at, zone)
        return {"hour": hour} if len(hours) >= self.least_logins and hour not in self._usual(hours) else None

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("This user does not usually sign in between %(hour)s and %(next)s o'clock.") % {
            "hour": data["hour"],
            "next": data["hour"] + 1,
        }

    def _usual(self, hours: list[int]) -> set[int]:
        usual: set[int] = set()
        covered = 0
        for hour, logins in Counter(hours).most_common():
            if covered >= self.share * len(hours):
                break
            usual.add(hour)
            covered += logins
        return usual


class DormantAccount(Signal):
    """The account has not been used for 90 days."""

    name, weight = "dormant_account", 30
    quiet = timedelta(days=90)

    def detect(self, login: LoginContext) -> Mapping[str, Any] | None:
        """Return the number of days."""
        if login.last_login_at is None or login.at - login.last_login_at < self.quiet:
            return None
        return {"days": (login.at - login.last_login_at).days}

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("This account has not been used for %(days)s days.") % data


def _zone_of(user: UserLike) -> tzinfo:
    try:
        return zoneinfo.ZoneInfo(getattr(user, "timezone", "") or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return UTC


def _hour(moment: datetime, zone: tzinfo) -> int:
    return moment.astimezone(zone).hour
