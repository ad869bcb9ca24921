"""The controls of this package that may work only in part; see `auth_core.runtime.degradation`."""

from enum import StrEnum


class Control(StrEnum):
    """What the trail calls them."""

    #: Entries are kept, and get no number and no checkpoint.
    SEALING = "sealing"

    #: A sink of a kind is not told; what is sealed is proved by nothing outside.
    SINKS = "sinks"
