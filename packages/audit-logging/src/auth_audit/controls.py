"""Controls of this package that can be degraded. See `auth_core.runtime.degradation`."""

from enum import StrEnum


class Control(StrEnum):
    """The names of controls in the trail."""

    #: Entries are appended, but not sealed.
    SEALING = "sealing"

    #: A sink receives nothing, so no copy outside the database proves the newest entries.
    SINKS = "sinks"
