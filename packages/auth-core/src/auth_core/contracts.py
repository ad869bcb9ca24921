"""The contracts between a login and what plugs into it.

Settings fill three slots: the `LoginStep`s in their order, one `GrantIssuer`, one
`RiskAssessor`. A package that fills one reads this file and nothing else of the core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from auth_core.assurance.evidence import Evidence, SessionFacts
from auth_core.request.client import Client

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase

    from auth_core.assurance.levels import Assessment
    from auth_core.models import PendingLogin


class Purpose(StrEnum):
    """What a pending login is for; it serves that and nothing else."""

    LOGIN = "login"
    STEP_UP = "step_up"
    RECOVERY = "recovery"
    LINK = "link"


class Transport(StrEnum):
    """How the credential of a session travels; it never works the other way."""

    COOKIE = "cookie"
    TOKEN = "token"  # noqa: S105 - the name of a transport


@dataclass(frozen=True, slots=True)
class Choice:
    """One way of meeting a challenge: *id* is what the caller sends back, *label* what a person reads."""

    id: str
    method: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """The question that a step puts to the caller.

    Args:
        kind: What is asked, such as ``code``; the shape of the answer is the kind's.
        method: Which method answers it; empty for a duty.
        choice: The chosen `Choice.id`; empty when there is nothing to choose.
        data: What the caller needs to answer, such as a masked address; nothing secret.
        choices: The ways there are.
    """

    kind: str
    method: str = ""
    choice: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    choices: Sequence[Choice] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenged:
    """A login goes on: somebody has to answer."""

    token: str = field(repr=False)
    expires_at: datetime
    attempts_left: int
    challenge: Challenge


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a login yields.

    Args:
        user: Who is signed in now.
        session: What anybody may know of the session.
        credential: The bearer's secret; with the cookie transport it is the session key.
        backend: Dotted path of the authentication backend, for Django's own bookkeeping.
        device_credential: What the browser is to keep in its ``device`` cookie; empty: what it has, or nothing.
        device_lifetime: How long the browser is to keep it.
        store: The site's session store of the session, if whoever issued it need not read it; for the cookie transport.
    """

    user: Any
    session: SessionFacts
    credential: str = field(repr=False)
    backend: str
    device_credential: str = field(default="", repr=False)
    device_lifetime: timedelta = timedelta(0)
    store: SessionBase | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Granted:
    """A login is over and yielded a grant."""

    grant: Grant


#: How a login goes on; the set is closed. Everything else is a refusal (`auth_core.errors`).
LoginOutcome = Challenged | Granted


class LimitReached(Exception):
    """Raised by a `GrantIssuer` inside the granting transaction: no room for one more session.

    The grant is undone and `advance` goes round once more, so that the step which
    settles it (which session to end) can ask.
    """


class LoginStep(Protocol):
    """One more thing a login may have to prove, or a duty it must settle."""

    def is_pending(self, login: PendingLogin) -> bool:
        """Say whether *login* still lacks what this step asks for; asks the database, no side effect."""

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Return the question to put to the caller; may send a message.

        Raises:
            InvalidRequest: *choice* is none of the step's choices.
            MoreProofRequired: this person has nothing that could answer; the login is refused.
        """

    def question(self, login: PendingLogin) -> Challenge:
        """Return the question as it was put, for a page that is shown once more; sends and changes nothing.

        Raises:
            MoreProofRequired: as in `challenge`.
        """

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """Return what *answer* proves; ``None`` when it settled a duty and proved nothing.

        A login whose user is null is answered with the same work, and fails.

        Raises:
            ChallengeFailed: *answer* does not meet the challenge.
            InvalidRequest: *answer* has not the shape of the kind.
            Unavailable: nobody could look at *answer* now; nothing was compared.
        """


class GrantIssuer(Protocol):
    """What turns a proved login into a grant, and ends what it granted."""

    #: The transports that its sessions can be opened for.
    transports: frozenset[Transport]

    def issue(self, login: PendingLogin, client: Client) -> Grant:
        """Return the grant, once, inside the granting transaction and without HTTP.

        Always a new credential, also for the same person; for a step-up it raises the
        session that the row names.

        Raises:
            LimitReached: there is no room; the grant is undone.
            LoginDenied: this place may not be granted anything; the grant is undone, the refusal recorded.
            LoginExpired: the session to raise has ended.
        """

    def end(self, session: SessionFacts, *, user: Any, reason: str) -> None:
        """End *session* of *user*, inside the caller's transaction; one that has ended already is left alone."""


class RiskAssessor(Protocol):
    """What judges how likely it is that a login is who it says."""

    def assess(self, user: Any, client: Client) -> Assessment:
        """Return score, reasons and what this login must prove; no side effect."""
