"""Signals of where a login comes from."""

import ipaddress
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from auth_core.runtime import degradation
from auth_sessions.conf import sessions
from auth_sessions.controls import Control
from auth_sessions.risk_signals.base import Signal, SignalLost, Situation
from auth_sessions.travel import distance_km

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NewDevice(Signal):
    """No login of this person was completed in this browser before.

    There: not the first login, and the browser's signed cookie is missing or this person's row for it is.
    A caller without cookies is never known.
    """

    name, weight = "new_device", 25

    def seen(self, login: Situation) -> Mapping[str, Any] | None:
        """Say so, with nothing to add."""
        return None if login.is_first or login.is_device_known else {}

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("No login of this person was completed in this browser before.")


class NewCountry(Signal):
    """The network is in a country from which this person has not signed in within their last 200 logins.

    There: the country is known, and so is that of at least one login before.
    """

    name, weight = "new_country", 25

    def seen(self, login: Situation) -> Mapping[str, Any] | None:
        """Return the country."""
        before = {past.country for past in login.logins if past.country}
        country = login.place.country
        return {"country": country} if country and before and country not in before else None

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("The network is in %(country)s, from where this person has not signed in before.") % data


class NewNetwork(Signal):
    """The network (an IPv4 address, an IPv6 /64) is none from which this person has signed in in their last 200 logins."""

    name, weight = "new_network", 10

    def seen(self, login: Situation) -> Mapping[str, Any] | None:
        """Say so, with nothing to add: the session has the network."""
        before = {past.network for past in login.logins if past.network}
        return {} if login.client.network and before and login.client.network not in before else None

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("This person has not signed in from this network before.")


class ImpossibleTravel(Signal):
    """Nobody gets from the place of the last login to this one in the time between.

    Great-circle distance over time: above 900 km/h (an airliner's speed), and never below 100 km, which is how
    far tables of networks err. A clock that moved back makes the time one minute, never negative.
    """

    name, weight = "impossible_travel", 60
    max_kmh, min_km = 900.0, 100.0
    least_time = timedelta(minutes=1)

    def seen(self, login: Situation) -> Mapping[str, Any] | None:
        """Return distance, time and speed."""
        last = next((past for past in login.logins if past.position is not None), None)
        if last is None or last.position is None or login.place.position is None:
            return None
        km = distance_km(last.position, login.place.position)
        hours = max(login.at - last.at, self.least_time) / timedelta(hours=1)
        if km < self.min_km or km / hours <= self.max_kmh:
            return None
        return {"km": round(km), "hours": round(hours, 2), "kmh": round(km / hours)}

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("%(km)s km from the last login, %(hours)s hours later: %(kmh)s km/h.") % data


class AnonymisingNetwork(Signal):
    """The address is in a network that the operator lists: exits of Tor, hosters, proxies.

    The file (``AUTH_SESSIONS["ANONYMISING_NETWORKS"]``) has one network (CIDR) a line; ``#`` begins a comment.
    """

    name, weight = "anonymising_network", 30

    def seen(self, login: Situation) -> Mapping[str, Any] | None:
        """Say so, with nothing to add."""
        path = sessions.ANONYMISING_NETWORKS
        if not path or not login.client.ip:
            return None
        try:
            networks = _listed(path, Path(path).stat().st_mtime_ns)
        except (OSError, ValueError) as error:
            degradation.degrade(Control.RISK_SIGNALS, part=self.name, reason=type(error).__name__)
            raise SignalLost(self.name) from error
        degradation.restore(Control.RISK_SIGNALS, part=self.name)
        address = ipaddress.ip_address(login.client.ip)
        return {} if any(address in network for network in networks) else None

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("The network is on the operator's list of those that hide where somebody is.")


@lru_cache(maxsize=2)
def _listed(path: str, _written: int) -> tuple[Network, ...]:
    lines = (line.partition("#")[0].strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return tuple(ipaddress.ip_network(line, strict=False) for line in lines if line)
