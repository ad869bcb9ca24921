"""A pytest plugin for sites with our second factors: ``-p auth_mfa.testing.plugin``."""

import pytest

from auth_core.testing.tables import BOOKKEEPING


def pytest_configure(config: pytest.Config) -> None:
    """Say which tables hold means, not facts about anybody: what they lead to is recorded where it happens."""
    BOOKKEEPING.update(
        {
            "auth_mfa_sentcode",  # sent, withheld, proved and failed are recorded
            "auth_mfa_smsprefix",  # counts texts of people together
            "auth_mfa_factorhistory",  # locked, and written with the first factor
            "auth_mfa_webauthnchallenge",  # asked; the proof is recorded
        }
    )
