"""What this request's session has proved, and when; and how a view asks for more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from auth_core.assurance.levels import Assurance, assurance_of
from auth_core.assurance.methods import Evidence, Method, amr_of
from auth_core.errors import InsufficientUserAuthentication, NotAuthenticated

__all__ = [
    "Evidence",
    "Method",
    "SessionFacts",
    "amr_of",
    "check_assurance",
    "check_context",
    "fresh_evidence",
    "require_assurance",
    "session_of",
    "set_session",
    "stated_session",
]

#: Where Django's own session store keeps the facts.
FACTS_KEY = "_auth_core_facts"

_MOMENTS = ("authenticated_at", "expires_at", "idle_expires_at")

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """What anybody may know of a session.

    Args:
        id: Public id; never the credential.
        transport: ``cookie`` or ``token``; a session serves only the one it was opened for.
        evidence: What was proved in it.
        authenticated_at: When the person last proved something.
        expires_at: When it ends, whatever happens.
        idle_expires_at: When it ends if it is not used.
        device_known: Whether this browser has completed a login of this person before; ``None``: nobody looked.
        context_changed: What of this request is another than where it was proved, such as ``country``. The session goes on,
            and nothing in it counts as proved lately (ASVS 8.2.4). Of a request, and never stored.
    """

    id: UUID
    transport: str
    evidence: tuple[Evidence, ...]
    authenticated_at: datetime
    expires_at: datetime | None = None
    idle_expires_at: datetime | None = None
    device_known: bool | None = None
    context_changed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {
            "id": str(self.id),
            "transport": self.transport,
            "evidence": [piece.to_json() for piece in self.evidence],
            "authenticated_at": self.authenticated_at.isoformat(),
            "expires_at": self.expires_at and self.expires_at.isoformat(),
            "idle_expires_at": self.idle_expires_at and self.idle_expires_at.isoformat(),
            "device_known": self.device_known,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "SessionFacts":
        """Return facts from their stored form."""
        moments = {name: stored[name] and datetime.fromisoformat(stored[name]) for name in _MOMENTS}
        evidence = tuple(Evidence.from_json(piece) for piece in stored["evidence"])
        return cls(**{**stored, **moments, "id": UUID(stored["id"]), "evidence": evidence})

    @property
    def assurance(self) -> Assurance:
        """The level that this session's evidence reaches."""
        return assurance_of(self.evidence)

    @property
    def acr(self) -> str:
        """The wire name of `assurance`."""
        return self.assurance.acr

    @property
    def amr(self) -> list[str]:
        """The RFC 8176 names of the methods proved."""
        return amr_of(self.evidence)


def session_of(request: Any) -> SessionFacts | None:
    """Return the facts of the session that *request* came with.

    A token's authenticator leaves them on the request with `set_session`; a cookie's
    session store offers them as ``request.session.facts``.
    """
    http: HttpRequest = getattr(request, "_request", request)
    return stated_session(http) or _facts_in(getattr(http, "session", None))


def stated_session(request: HttpRequest) -> SessionFacts | None:
    """Return the session that an authenticator has stated; asks nobody."""
    return getattr(request, "_auth_core_session", None)


def _facts_in(store: Any) -> SessionFacts | None:
    """Ask a session store; Django's own keeps the facts among its data."""
    if store is None or hasattr(store, "facts"):
        return getattr(store, "facts", None)
    stored = store.get(FACTS_KEY)
    return None if stored is None else SessionFacts.from_json(stored)


def set_session(request: Any, facts: SessionFacts) -> None:
    """Say which session *request* came with."""
    http = getattr(request, "_request", request)
    http._auth_core_session = facts  # noqa: SLF001 - this module owns the attribute


def require_assurance(
    acr: str, *, max_age: timedelta | None = None
) -> Callable[[Callable[Concatenate[Any, P], R]], Callable[Concatenate[Any, P], R]]:
    """Let a view answer only sessions that have proved *acr*, not longer than *max_age* ago.

    Raises:
        NotAuthenticated: nobody is signed in.
        InsufficientUserAuthentication: the session has proved less, or too long ago (RFC 9470).
    """
    needed = Assurance.from_acr(acr)

    def decorate(view: Callable[Concatenate[Any, P], R]) -> Callable[Concatenate[Any, P], R]:
        @wraps(view)
        def guarded(request: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
            check_assurance(session_of(request), needed, max_age)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def check_assurance(session: SessionFacts | None, needed: Assurance, max_age: timedelta | None = None) -> None:
    """See that *session* has proved *needed*, not longer than *max_age* ago.

    Raises:
        NotAuthenticated: nobody is signed in.
        InsufficientUserAuthentication: the session has proved less, or too long ago (RFC 9470).
    """
    if session is None:
        raise NotAuthenticated
    if assurance_of(fresh_evidence(session, max_age)) < needed:
        raise InsufficientUserAuthentication(
            required_assurance=needed.acr, max_age=max_age, context_changed=bool(session.context_changed)
        )


def check_context(session: SessionFacts | None) -> None:
    """See that *session* is used where it was proved; asked before anything of an account is changed.

    Every proof of a session that changed its country or browser is asked for again, however much the change itself
    asks for: who took the credential would otherwise end the sessions of its owner, or change their password.

    Raises:
        InsufficientUserAuthentication: it is used elsewhere (decision record 0034).
    """
    if session is not None and session.context_changed:
        raise InsufficientUserAuthentication(required_assurance=Assurance.AAL1.acr, context_changed=True)


def fresh_evidence(session: SessionFacts, max_age: timedelta | None) -> list[Evidence]:
    """Return what was proved within *max_age*: an old second factor does not refresh with a new password.

    Nothing, where the session has strayed: whoever took its credential somewhere else has proved nothing there.
    """
    if session.context_changed:
        return []
    oldest = None if max_age is None else timezone.now() - max_age
    return [piece for piece in session.evidence if oldest is None or piece.at >= oldest]
