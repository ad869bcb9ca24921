"""The location of a network, by a GeoIP database. It never locates a person.

This is the only module that needs the extra ``geoip``. The operator's ``.mmdb`` file is used if there is one. City
files have coordinates, country files do not. Otherwise the country table of iptocc is used.
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
    maxminddb = None  # type: ignore[assignment]  # checked before use
try:
    import iptocc
except ImportError:  # pragma: no cover - the extra is not installed
    iptocc = None  # type: ignore[assignment]  # checked before use


class GeoDatabaseUnreadable(Exception):
    """The operator's GeoIP file is missing or cannot be read."""


@dataclass(frozen=True, slots=True)
class Location:
    """The location of a network.

    Args:
        country: ISO 3166-1 alpha-2. Empty: unknown.
        position: Position of the network. ``None``: the database has none.
    """

    country: str = ""
    position: Position | None = None


#: The location of an address that is in no database.
UNKNOWN = Location()


def is_configured() -> bool:
    """Tell whether a GeoIP database is available."""
    return bool(sessions.GEOIP_PATH) or iptocc is not None


def location_of(ip: str) -> Location:
    """Return the location of the network of *ip*, or `UNKNOWN` for a private or unlisted address.

    Raises:
        GeoDatabaseUnreadable: the operator's file cannot be read.
    """
    try:
        if not ip or not ipaddress.ip_address(ip).is_global:
            return UNKNOWN
    except ValueError:
        return UNKNOWN
    if sessions.GEOIP_PATH:
        return _location_in_file(sessions.GEOIP_PATH, ip)
    return UNKNOWN if iptocc is None else Location(country=iptocc.country_code(ip) or "")


def _location_in_file(path: str, ip: str) -> Location:
    try:
        # Reopen the file when the operator replaces it. Such files are updated every week.
        record = _reader(path, Path(path).stat().st_mtime_ns).get(ip)
    except (OSError, ValueError, AttributeError, _CorruptFile) as error:
        degradation.report_degraded(Control.RISK_SIGNALS, part="places", reason=type(error).__name__)
        raise GeoDatabaseUnreadable(type(error).__name__) from error
    degradation.report_restored(Control.RISK_SIGNALS, part="places")
    return _location(record) if isinstance(record, Mapping) else UNKNOWN


def _location(record: Mapping[str, Any]) -> Location:
    """Read a record in the format of GeoLite2 and DB-IP. A record in another format yields no location."""
    country = record.get("country")
    coordinates = record.get("location")
    code = country.get("iso_code") if isinstance(country, Mapping) else None
    position = None
    if isinstance(coordinates, Mapping):
        north, east = coordinates.get("latitude"), coordinates.get("longitude")
        if isinstance(north, int | float) and isinstance(east, int | float):
            position = Position(float(north), float(east))
    return Location(country=code[:2] if isinstance(code, str) else "", position=position)


@lru_cache(maxsize=2)
def _reader(path: str, _modified_ns: int) -> Any:
    return maxminddb.open_database(path)


_CorruptFile: type[Exception] = OSError if maxminddb is None else maxminddb.InvalidDatabaseError
