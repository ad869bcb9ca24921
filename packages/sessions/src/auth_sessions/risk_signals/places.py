"""Risk signals of the device, the network and the location of a login."""

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
from auth_sessions.risk_signals.base import LoginContext, Signal, SignalUnavailable
from auth_sessions.travel import distance_km

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NewDevice(Signal):
    """The user has not completed a login in this browser before.

    Present if it is not the first login, and the browser's signed cookie or the user's row for it is missing. A caller
    without cookies is never known.
    """

    name, weight = "new_device", 25

    def detect(self, login: LoginContext) -> Mapping[str, Any] | None:
        """Return an empty mapping if the device is new."""
        return None if login.is_first or login.is_device_known else {}

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("This user has not signed in with this browser before.")


class NewCountry(Signal):
    """The network is in a country from which none of the user's last 200 logins came.

    Present only if the country is known, and that of at least one past login is known.
    """

    name, weight = "new_country", 25

    def detect(self, login: LoginContext) -> Mapping[str, Any] | None:
        """Return the country."""
        countries = {past.country for past in login.logins if past.country}
        country = login.location.country
        return {"country": country} if country and countries and country not in countries else None

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("The network is in %(country)s. This user has not signed in from there before.") % data


class NewNetwork(Signal):
    """The network (an IPv4 address or an IPv6 /64) is not among those of the user's last 200 logins."""

    name, weight = "new_network", 10

    def detect(self, login: LoginContext) -> Mapping[str, Any] | None:
        """Return an empty mapping if the network is new. The session stores the network."""
        networks = {past.network for past in login.logins if past.network}
        return {} if login.client.network and networks and login.client.network not in networks else None

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("This user has not signed in from this network before.")


class ImpossibleTravel(Signal):
    """The distance from the last login is too great for the time in between.

    Great-circle distance over time: present above 900 km/h (the speed of an airliner), and never below 100 km, the
    error of GeoIP databases. If the clock moved back, the time counts as one minute.
    """

    name, weight = "impossible_travel", 60
    max_kmh, min_km = 900.0, 100.0
    least_time = timedelta(minutes=1)

    def detect(self, login: LoginContext) -> Mapping[str, Any] | None:
        """Return distance, time and speed."""
        last = next((past for past in login.logins if past.position is not None), None)
        if last is None or last.position is None or login.location.position is None:
            return None
        km = distance_km(last.position, login.location.position)
        hours = max(login.at - last.at, self.least_time) / timedelta(hours=1)
        if km < self.min_km or km / hours <= self.max_kmh:
            return None
        return {"km": round(km), "hours": round(hours, 2), "kmh": round(km / hours)}

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("%(km)s km from the last login, %(hours)s hours later: %(kmh)s km/h.") % data


class AnonymisingNetwork(Signal):
    """The address is in a network on the operator's list, such as Tor exits, hosting providers and proxies.

    The file (``AUTH_SESSIONS["ANONYMISING_NETWORKS"]``) has one network (CIDR) per line. ``#`` begins a comment.
    """

    name, weight = "anonymising_network", 30

    def detect(self, login: LoginContext) -> Mapping[str, Any] | None:
        """Return an empty mapping if the address is listed."""
        path = sessions.ANONYMISING_NETWORKS
        if not path or not login.client.ip:
            return None
        try:
            networks = _listed(path, Path(path).stat().st_mtime_ns)
        except (OSError, ValueError) as error:
            degradation.report_degraded(Control.RISK_SIGNALS, part=self.name, reason=type(error).__name__)
            raise SignalUnavailable(self.name) from error
        degradation.report_restored(Control.RISK_SIGNALS, part=self.name)
        address = ipaddress.ip_address(login.client.ip)
        return {} if any(address in network for network in networks) else None

    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return the evidence."""
        return _("The network is on the operator's list of anonymising networks.")


@lru_cache(maxsize=2)
def _listed(path: str, _modified_ns: int) -> tuple[Network, ...]:
    lines = (line.partition("#")[0].strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return tuple(ipaddress.ip_network(line, strict=False) for line in lines if line)
