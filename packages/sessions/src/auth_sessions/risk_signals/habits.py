"""Signals of when a login comes."""

import zoneinfo
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from django.utils.translation import gettext as _

from auth_sessions.risk_signals.base import Signal, Situation


class UnusualHour(Signal):
    """The hour of the day is none of those in which this person signs in.

    Of the logins of the last 60 days, from 20 on: the fewest hours that together hold 95 % of them are their own.
    Hours are the person's own time, if their time zone is known, else UTC.
    """

    name, weight = "unusual_hour", 10
    days, least_logins, share = timedelta(days=60), 20, 0.95

    def seen(self, login: Situation) -> Mapping[str, Any] | None:
        """Return the hour."""
        zone = _zone_of(login.user)
        hours = [_hour(past.at, zone) for past in login.logins if login.at - past.at <= self.days]
        hour = _hour(login.at, zone)
        return {"hour": hour} if len(hours) >= self.least_logins and hour not in self._own(hours) else None

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("This person does not usually sign in between %(hour)s and %(next)s o'clock.") % {
            "hour": data["hour"],
            "next": data["hour"] + 1,
        }

    def _own(self, hours: list[int]) -> set[int]:
        own: set[int] = set()
        held = 0
        for hour, logins in Counter(hours).most_common():
            if held >= self.share * len(hours):
                break
            own.add(hour)
            held += logins
        return own


class DormantAccount(Signal):
    """Nobody has signed in for 90 days."""

    name, weight = "dormant_account", 30
    quiet = timedelta(days=90)

    def seen(self, login: Situation) -> Mapping[str, Any] | None:
        """Return for how many days."""
        if login.last_login_at is None or login.at - login.last_login_at < self.quiet:
            return None
        return {"days": (login.at - login.last_login_at).days}

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("Nobody has signed in to this account for %(days)s days.") % data


def _zone_of(user: Any) -> tzinfo:
    try:
        return zoneinfo.ZoneInfo(getattr(user, "timezone", "") or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return UTC


def _hour(moment: datetime, zone: tzinfo) -> int:
    return moment.astimezone(zone).hour
