"""The contracts between a login and its plug-ins.

Settings fill three slots: the ordered `LoginStep`s, one `GrantIssuer` and one
`RiskAssessor`. A package that fills a slot needs only this file of the core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from auth_core.assurance.evidence import Evidence, SessionFacts
from auth_core.request.client import Client
from auth_core.users import UserLike

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase

    from auth_core.assurance.levels import Assessment
    from auth_core.models import PendingLogin


class Purpose(StrEnum):
    """The purpose of a pending login. A login serves no other purpose."""

    LOGIN = "login"
    STEP_UP = "step_up"
    RECOVERY = "recovery"
    LINK = "link"


class Transport(StrEnum):
    """How the credential of a session travels. A credential of one transport never works with the other."""

    COOKIE = "cookie"
    TOKEN = "token"  # noqa: S105 - the name of a transport


@dataclass(frozen=True, slots=True)
class Choice:
    """One way to meet a challenge. The caller sends back *id*. People read *label*."""

    id: str
    method: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """The question that a step asks.

    Args:
        kind: The kind of question, such as ``code``. It determines the shape of the answer.
        method: The method that answers it. Empty for a duty.
        choice: The chosen `Choice.id`. Empty if there is nothing to choose.
        data: Data for the answer, such as a masked address. Nothing secret.
        choices: The available ways.
    """

    kind: str
    method: str = ""
    choice: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    choices: Sequence[Choice] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenged:
    """A login continues: the caller has to answer a challenge."""

    token: str = field(repr=False)
    expires_at: datetime
    attempts_left: int
    challenge: Challenge


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The result of a login.

    Args:
        user: The user who is now signed in.
        session: Public facts about the session.
        credential: The bearer's secret. With the cookie transport, the session key.
        backend: Dotted path of the authentication backend, for Django.
        device_credential: Value for the ``device`` cookie. Empty leaves the cookie as it is.
        device_lifetime: Lifetime of that cookie.
        store: The site's session store, if the issuer has loaded it already. For the cookie transport.
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
    """A login has finished with a grant."""

    grant: Grant


#: How a login continues. The set is closed. Everything else is a refusal (`auth_core.errors`).
LoginOutcome = Challenged | Granted


class LimitReached(Exception):
    """Raised by a `GrantIssuer` inside the granting transaction if there are too many sessions.

    The grant is rolled back and `advance` runs once more, so that the step which settles it
    (which session to end) can ask.
    """


class LoginStep(Protocol):
    """A further proof that a login may require, or a duty that it must settle."""

    def is_pending(self, login: PendingLogin) -> bool:
        """Return whether *login* still needs this step. May query the database. Has no side effects."""

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Return the question for the caller. May send a message.

        Raises:
            InvalidRequest: *choice* is none of the step's choices.
            MoreProofRequired: this person has no way to answer. The login is refused.
        """

    def question(self, login: PendingLogin) -> Challenge:
        """Return the current question, for a page that is shown again. Sends and changes nothing.

        Raises:
            MoreProofRequired: as in `challenge`.
        """

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """Return the evidence in *answer*, or ``None`` if it settled a duty and proved nothing.

        A login without a user does the same work, and fails.

        Raises:
            ChallengeFailed: *answer* does not meet the challenge.
            InvalidRequest: *answer* does not have the shape of the kind.
            Unavailable: *answer* cannot be checked now. Nothing was compared.
        """


class GrantIssuer(Protocol):
    """Turns a proved login into a grant, and ends its sessions."""

    #: The transports that it supports.
    transports: frozenset[Transport]
    #: Whether `issue` may have written something when it raises one of its errors. Optional, true by default. If it is
    #: false, a login that is granted at once has no savepoint, which costs two round trips to the database.
    needs_savepoint: bool

    def issue(self, login: PendingLogin, client: Client) -> Grant:
        """Return the grant, once, inside the granting transaction and without HTTP.

        The credential is always new, even for the same person. A step-up raises the session that
        the row names. The session has the application and the actor of the row.

        Raises:
            LimitReached: there are too many sessions. The grant is rolled back.
            LoginDenied: nothing may be granted here. The grant is rolled back and the refusal recorded.
            LoginExpired: the session to raise has ended.
        """

    def end(self, session: SessionFacts, *, user: UserLike, reason: str) -> None:
        """End *session* of *user*, inside the caller's transaction. Ignore a session that has already ended."""


class RiskAssessor(Protocol):
    """Assesses how likely it is that a login is genuine."""

    def assess(self, user: UserLike, client: Client) -> Assessment:
        """Return the score, the reasons and the demand on this login. Has no side effects."""
