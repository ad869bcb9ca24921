"""A pytest plugin for sites with auth_sessions: ``-p auth_sessions.testing.plugin``."""

from pathlib import Path
from typing import Any

import pytest

from auth_core.testing.tables import BOOKKEEPING


def pytest_configure(config: pytest.Config) -> None:
    """Register the epoch's table as bookkeeping. It holds no state of users."""
    BOOKKEEPING.add("auth_sessions_cacheepoch")


@pytest.fixture(autouse=True)
def epoch_of_this_test(settings: Any) -> None:
    """Make every test read the epoch itself. No other process shares its cache."""
    from auth_sessions.revocation import epochs  # noqa: PLC0415 - Django is set up only now

    settings.AUTH_SESSIONS = {"EPOCH_READER": "alone", **getattr(settings, "AUTH_SESSIONS", {})}
    epochs.forget_reading()


@pytest.fixture
def cities(tmp_path: Path, settings: Any) -> Path:
    """A GeoIP file with two networks: 81.2.69.0/24 in London and 1.1.1.0/24 in Sydney. The extra ``testing`` writes it."""
    from mmdb_writer import MMDBWriter  # noqa: PLC0415 - only this fixture needs it
    from netaddr import IPSet  # noqa: PLC0415 - as above

    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-City", float_type="f64")
    for network, code, north, east in (("81.2.69.0/24", "GB", 51.5, -0.13), ("1.1.1.0/24", "AU", -33.87, 151.21)):
        entry = {"country": {"iso_code": code}, "location": {"latitude": north, "longitude": east}}
        writer.insert_network(IPSet([network]), entry)
    path = tmp_path / "cities.mmdb"
    writer.to_db_file(str(path))
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "GEOIP_PATH": str(path)}
    return path
