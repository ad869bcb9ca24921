"""A pytest plugin for sites with our second factors: ``-p auth_mfa.testing.plugin``."""

import pytest

from auth_core.testing.tables import BOOKKEEPING


def pytest_configure(config: pytest.Config) -> None:
    """Register the bookkeeping tables, whose effects are recorded as events elsewhere."""
    BOOKKEEPING.update(
        {
            "auth_mfa_sentcode",  # events record sending, withholding, success and failure
            "auth_mfa_smsprefix",  # aggregate counters of texts
            "auth_mfa_factorhistory",  # a lock, written with the first factor
            "auth_mfa_webauthnchallenge",  # an event records the proof
        }
    )
