"""The evidence of the session behind a request, and the views that require more of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from auth_core.assurance.levels import Assurance, assurance_of
from auth_core.assurance.methods import Evidence, Method, amr_of
from auth_core.errors import InsufficientUserAuthentication, NotAuthenticated
from auth_core.memo import Memo

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase
    from rest_framework.request import Request

__all__ = [
    "Evidence",
    "Method",
    "SessionFacts",
    "amr_of",
    "check_assurance",
    "check_context",
    "forget_session",
    "fresh_evidence",
    "require_assurance",
    "session_of",
    "set_session",
    "stated_session",
]

#: The key under which Django's own session store keeps the facts.
FACTS_KEY = "_auth_core_facts"

_MOMENTS = ("authenticated_at", "expires_at", "idle_expires_at")
_IDS = ("id", "application", "actor")

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """The public facts about a session.

    Args:
        id: Public id. Never the credential.
        transport: ``cookie`` or ``token``. A session works only over the transport that it was opened for.
        evidence: What was proved in the session.
        authenticated_at: Time of the last proof.
        expires_at: Absolute expiry.
        idle_expires_at: Expiry if the session is not used.
        device_known: Whether this browser has completed a login of this person before. ``None`` if it was not checked.
        application: Public id of the application that the session was opened for. ``None``: for the site itself.
        actor: Public id of the person who acts in the session in place of its user. ``None``: the user acts.
        context_changed: What differs between this request and the place of the last proof, such as ``country``. The
            session stays valid, but its evidence no longer counts as fresh (ASVS 8.2.4). It belongs to the request and
            is never stored.
    """

    id: UUID
    transport: str
    evidence: tuple[Evidence, ...]
    authenticated_at: datetime
    expires_at: datetime | None = None
    idle_expires_at: datetime | None = None
    device_known: bool | None = None
    application: UUID | None = None
    actor: UUID | None = None
    context_changed: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {
            "id": str(self.id),
            "transport": self.transport,
            "evidence": [proof.to_json() for proof in self.evidence],
            "authenticated_at": self.authenticated_at.isoformat(),
            "expires_at": self.expires_at and self.expires_at.isoformat(),
            "idle_expires_at": self.idle_expires_at and self.idle_expires_at.isoformat(),
            "device_known": self.device_known,
            "application": self.application and str(self.application),
            "actor": self.actor and str(self.actor),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "SessionFacts":
        """Return the facts from their stored form."""
        moments = {name: stored[name] and datetime.fromisoformat(stored[name]) for name in _MOMENTS}
        ids = {name: UUID(stored[name]) for name in _IDS if stored.get(name)}
        evidence = tuple(Evidence.from_json(proof) for proof in stored["evidence"])
        return cls(**{**stored, **moments, **ids, "evidence": evidence})

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
        """The RFC 8176 names of the proved methods."""
        return amr_of(self.evidence)


#: On a request: the session that an authenticator stated.
_SESSION: Memo[SessionFacts] = Memo("auth_core.session")


def session_of(request: "HttpRequest | Request") -> SessionFacts | None:
    """Return the facts of the session of *request*.

    The authenticator of a token stores them on the request with `set_session`. The session store of a cookie offers
    them as ``request.session.facts``.
    """
    http: HttpRequest = getattr(request, "_request", request)
    return stated_session(http) or _facts_in(getattr(http, "session", None))


def stated_session(request: HttpRequest) -> SessionFacts | None:
    """Return the session that an authenticator stored on *request*. Makes no query."""
    return _SESSION.of(request)


def _facts_in(store: "SessionBase | None") -> SessionFacts | None:
    """Return the facts in a session store. Django's own store keeps them among its data."""
    if store is None or hasattr(store, "facts"):
        return getattr(store, "facts", None)
    stored = store.get(FACTS_KEY)
    return None if stored is None else SessionFacts.from_json(stored)


def set_session(request: "HttpRequest | Request", facts: SessionFacts) -> None:
    """Store the session of *request* on it."""
    _SESSION.keep(getattr(request, "_request", request), facts)


def forget_session(request: HttpRequest) -> None:
    """Remove the session that an authenticator stored on *request*."""
    _SESSION.forget(request)


def require_assurance(
    acr: str, *, max_age: timedelta | None = None
) -> Callable[[Callable[Concatenate[Any, P], R]], Callable[Concatenate[Any, P], R]]:
    """Restrict a view to sessions that proved *acr* within the last *max_age*.

    Raises:
        NotAuthenticated: the request has no session.
        InsufficientUserAuthentication: the evidence is too weak or too old (RFC 9470).
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
    """Check that *session* proved *needed* within the last *max_age*.

    Raises:
        NotAuthenticated: there is no session.
        InsufficientUserAuthentication: the evidence is too weak or too old (RFC 9470).
    """
    if session is None:
        raise NotAuthenticated
    if assurance_of(fresh_evidence(session, max_age)) < needed:
        raise InsufficientUserAuthentication(
            required_assurance=needed.acr, max_age=max_age, context_changed=bool(session.context_changed)
        )


def check_context(session: SessionFacts | None) -> None:
    """Check that *session* is used where it was proved. Called before any change of an account.

    A session whose country or browser changed must prove everything again, even if the change itself requires less. A
    thief of the credential could otherwise end the owner's sessions or change the password.

    Raises:
        InsufficientUserAuthentication: the context changed (decision record 0034).
    """
    if session is not None and session.context_changed:
        raise InsufficientUserAuthentication(required_assurance=Assurance.AAL1.acr, context_changed=True)


def fresh_evidence(session: SessionFacts, max_age: timedelta | None) -> list[Evidence]:
    """Return the evidence of the last *max_age*. A new password does not refresh an old second factor.

    The result is empty if the context changed: a thief who uses the credential elsewhere has proved nothing there.
    """
    if session.context_changed:
        return []
    oldest = None if max_age is None else timezone.now() - max_age
    return [proof for proof in session.evidence if oldest is None or proof.at >= oldest]
