"""The controls of this package that may work only in part; see `auth_core.runtime.degradation`."""

from enum import StrEnum


class Control(StrEnum):
    """What the trail calls them."""

    #: Every request asks the database for its session. Revocations hold as before.
    SESSION_CACHE = "session_cache"

    #: A signal of risk that was configured cannot be asked: every login proves a second factor.
    RISK_SIGNALS = "risk_signals"
