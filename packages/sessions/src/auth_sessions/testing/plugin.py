"""A pytest plugin for sites with auth_sessions: ``-p auth_sessions.testing.plugin``."""

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
