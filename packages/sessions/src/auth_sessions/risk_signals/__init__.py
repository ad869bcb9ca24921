"""Risk signals: reasons to doubt that a login is made by the account's owner. Each signal is one small class."""

from collections.abc import Mapping

from auth_sessions.risk_signals.base import LoginContext, Signal, SignalUnavailable
from auth_sessions.risk_signals.failures import RecentFailures
from auth_sessions.risk_signals.habits import DormantAccount, UnusualHour
from auth_sessions.risk_signals.places import AnonymisingNetwork, ImpossibleTravel, NewCountry, NewDevice, NewNetwork

#: All signals, by name.
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

__all__ = ["SIGNALS", "LoginContext", "Signal", "SignalUnavailable"]
