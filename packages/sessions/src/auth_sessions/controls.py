"""The controls of this package that can degrade. See `auth_core.runtime.degradation`."""

from enum import StrEnum


class Control(StrEnum):
    """Names of the controls in the audit trail."""

    #: Without it every request reads its session from the database. Revocation works as before.
    SESSION_CACHE = "session_cache"

    #: If a configured risk signal is unavailable, every login must prove a second factor.
    RISK_SIGNALS = "risk_signals"
