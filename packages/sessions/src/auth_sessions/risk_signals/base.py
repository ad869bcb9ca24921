"""The interface of risk signals, and the login that they assess."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from auth_core.request.client import Client
from auth_sessions.geo import Location
from auth_sessions.history import PastLogin


class SignalUnavailable(Exception):
    """A configured signal is unavailable, so its result is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginContext:
    """The login that is being assessed.

    Args:
        user: The user who signs in. The first proof was correct.
        client: The client of the request.
        at: Time of the login.
        location: Location of the client's network.
        logins: Past logins, the latest first.
        last_login_at: Time of the last login, even if it is too old for `logins`.
        is_device_known: Whether the user has completed a login in this browser before.
        failures: Number of failed guesses in the current window.
    """

    user: Any
    client: Client
    at: datetime
    location: Location
    logins: Sequence[PastLogin]
    last_login_at: datetime | None
    is_device_known: bool
    failures: int

    @property
    def is_first(self) -> bool:
        """Whether this is the first login to the account. Then nothing is unusual."""
        return self.last_login_at is None


class Signal(ABC):
    """One risk signal."""

    #: A closed word, stored with every login in whose score it counted.
    name: ClassVar[str]

    #: Points that it adds to the score, unless ``AUTH_SESSIONS["RISK_WEIGHTS"]`` overrides them.
    weight: ClassVar[int]

    @abstractmethod
    def detect(self, login: LoginContext) -> Mapping[str, Any] | None:
        """Return the data for `sentence` if the signal is present, or ``None`` if it is absent or not configured.

        Raises:
            SignalUnavailable: the signal is configured but unavailable.
        """

    @abstractmethod
    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return one sentence of evidence, in the reader's language."""
