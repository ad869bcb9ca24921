"""Where a network is, as far as a table of the operator's tells; never where a person is.

This is the one module of the extra ``geoip``. The operator's ``.mmdb`` file comes first
(cities have coordinates, countries have none), the country table of iptocc second.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from auth_core.runtime import degradation
from auth_sessions.conf import sessions
from auth_sessions.controls import Control
from auth_sessions.travel import Position

try:
    import maxminddb
except ImportError:  # pragma: no cover - the extra is not installed
    maxminddb = None  # type: ignore[assignment]  # asked for below
try:
    import iptocc
except ImportError:  # pragma: no cover - the extra is not installed
    iptocc = None  # type: ignore[assignment]  # asked for below


class GeoLost(Exception):
    """The operator's file is missing or cannot be read; where anybody is, nobody knows."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a network is.

    Args:
        country: ISO 3166-1 alpha-2; empty: unknown.
        position: Of the network; ``None`` where the table has none.
    """

    country: str = ""
    position: Position | None = None


#: What is known of an address that no table has.
NOWHERE = Place()


def is_configured() -> bool:
    """Say whether there is a table to look into."""
    return bool(sessions.GEOIP_PATH) or iptocc is not None


def place_of(ip: str) -> Place:
    """Return where the network of *ip* is; `NOWHERE` for a private or unknown one.

    Raises:
        GeoLost: the operator's file cannot be read.
    """
    try:
        if not ip or not ipaddress.ip_address(ip).is_global:
            return NOWHERE
    except ValueError:
        return NOWHERE
    if sessions.GEOIP_PATH:
        return _in_file(sessions.GEOIP_PATH, ip)
    return NOWHERE if iptocc is None else Place(country=iptocc.country_code(ip) or "")


def _in_file(path: str, ip: str) -> Place:
    try:
        # Opened anew when the operator replaces it, as these files are every week.
        found = _reader(path, Path(path).stat().st_mtime_ns).get(ip)
    except (OSError, ValueError, AttributeError, _Corrupt) as error:
        degradation.degrade(Control.RISK_SIGNALS, part="places", reason=type(error).__name__)
        raise GeoLost(type(error).__name__) from error
    degradation.restore(Control.RISK_SIGNALS, part="places")
    return _place(found) if isinstance(found, Mapping) else NOWHERE


def _place(found: Mapping[str, Any]) -> Place:
    """Read an entry as GeoLite2 and DB-IP shape it; what has another shape tells nothing."""
    country = found.get("country")
    location = found.get("location")
    code = country.get("iso_code") if isinstance(country, Mapping) else None
    position = None
    if isinstance(location, Mapping):
        north, east = location.get("latitude"), location.get("longitude")
        if isinstance(north, int | float) and isinstance(east, int | float):
            position = Position(float(north), float(east))
    return Place(country=code[:2] if isinstance(code, str) else "", position=position)


@lru_cache(maxsize=2)
def _reader(path: str, _written: int) -> Any:
    return maxminddb.open_database(path)


_Corrupt: type[Exception] = OSError if maxminddb is None else maxminddb.InvalidDatabaseError
