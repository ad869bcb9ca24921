"""What a signal is, and what it is shown."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from auth_core.request.client import Client
from auth_sessions.geo import Place
from auth_sessions.history import PastLogin


class SignalLost(Exception):
    """A signal that was configured cannot answer; nobody knows whether it would have weighed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A login that is being assessed.

    Args:
        user: Who it says it is; the first proof was right.
        client: From where.
        at: When.
        place: Where the client's network is.
        logins: What came before, the latest first.
        last_login_at: When the person signed in last, also if that was too long ago for `logins`.
        is_device_known: Whether a login of this person was completed in this browser before.
        failures: How often this person was guessed at lately.
    """

    user: Any
    client: Client
    at: datetime
    place: Place
    logins: Sequence[PastLogin]
    last_login_at: datetime | None
    is_device_known: bool
    failures: int

    @property
    def is_first(self) -> bool:
        """Whether nobody has signed in to this account before: then nothing is unusual."""
        return self.last_login_at is None


class Signal(ABC):
    """One thing that may weigh in a score."""

    #: Closed word, kept with every login that it weighed in.
    name: ClassVar[str]

    #: What it adds to the score, of 100, unless ``AUTH_SESSIONS["RISK_WEIGHTS"]`` says otherwise.
    weight: ClassVar[int]

    @abstractmethod
    def seen(self, login: Situation) -> Mapping[str, Any] | None:
        """Return what its sentence speaks of, if it is there; ``None``: it is not, or was not configured.

        Raises:
            SignalLost: it was configured, and cannot be asked.
        """

    @abstractmethod
    def sentence(self, data: Mapping[str, Any]) -> str:
        """Return one sentence of evidence, in the reader's language."""
