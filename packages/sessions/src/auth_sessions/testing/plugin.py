"""A pytest plugin for sites with our sessions: ``-p auth_sessions.testing.plugin``."""

from typing import Any

import pytest

from auth_core.testing.tables import BOOKKEEPING


def pytest_configure(config: pytest.Config) -> None:
    """Say which table holds no state: the epoch tells which copies are good, and nothing of anybody."""
    BOOKKEEPING.add("auth_sessions_cacheepoch")


@pytest.fixture(autouse=True)
def epoch_of_this_test(settings: Any) -> None:
    """Let every test read the epoch of the cache anew, and by itself: no other process shares its cache."""
    from auth_sessions.revocation import epochs  # noqa: PLC0415 - Django is set up only now

    settings.AUTH_SESSIONS = {"EPOCH_READER": "alone", **getattr(settings, "AUTH_SESSIONS", {})}
    epochs.forget_known()
