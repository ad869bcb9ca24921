"""What makes a login look less like its person; each signal is one small class."""

from collections.abc import Mapping

from auth_sessions.risk_signals.base import Signal, SignalLost, Situation
from auth_sessions.risk_signals.failures import RecentFailures
from auth_sessions.risk_signals.habits import DormantAccount, UnusualHour
from auth_sessions.risk_signals.places import AnonymisingNetwork, ImpossibleTravel, NewCountry, NewDevice, NewNetwork

#: Every signal there is, by its name.
SIGNALS: Mapping[str, Signal] = {
    signal.name: signal
    for signal in (
        NewDevice(),
        NewCountry(),
        NewNetwork(),
        ImpossibleTravel(),
        RecentFailures(),
        AnonymisingNetwork(),
        UnusualHour(),
        DormantAccount(),
    )
}

__all__ = ["SIGNALS", "Signal", "SignalLost", "Situation"]
