"""Admission: whether a person may use the site. Every login and every session asks this module."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from uuid import UUID

from django.utils import timezone

from auth_core.assurance.evidence import SessionFacts
from auth_core.people.actors import find_actor
from auth_core.registries import application_checks, provider_checks
from auth_core.users import UserLike


class AdmissionRefusal(StrEnum):
    """Why a person is not admitted. For the audit trail, never for the caller."""

    UNKNOWN = "unknown"
    DISABLED = "disabled"
    LOCKED = "locked"
    ENDED = "ended"
    #: The application must not be used.
    APPLICATION = "application"
    #: The identity provider must not be used.
    PROVIDER = "provider"
    #: The person who acts for the user is unknown, disabled or locked.
    ACTOR = "actor"


class NotAdmitted(Exception):
    """The person, application, provider or session is not admitted.

    The caller turns it into the response for a wrong password, or treats the request as anonymous.
    """

    def __init__(self, reason: AdmissionRefusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


def admit(
    user: UserLike | None,
    *,
    application: UUID | None = None,
    actor: UUID | None = None,
    provider: str = "",
    session: SessionFacts | None = None,
) -> None:
    """Check that the person may use the site. Makes no query if the identity of *user* is loaded.

    An actor costs one query. They are checked at every request, because they must not act one moment longer than they
    may sign in themselves.

    Args:
        user: The person. ``None`` is not admitted.
        application: Public id of the application they use. Packages that know it decide (`application_checks`).
        actor: Public id of the person who acts for *user*.
        provider: Name of the identity provider that they sign in with. Packages that know it decide (`provider_checks`).
        session: Their session. Its application and its actor are checked as well.

    Raises:
        NotAdmitted: with the reason.
    """
    if user is None or not user.is_authenticated:
        raise NotAdmitted(AdmissionRefusal.UNKNOWN)
    if not user.is_active:
        raise NotAdmitted(AdmissionRefusal.DISABLED)
    if _is_locked(user):
        raise NotAdmitted(AdmissionRefusal.LOCKED)
    if session is not None and _has_ended(session):
        raise NotAdmitted(AdmissionRefusal.ENDED)
    if provider and not all(check(provider) for check in provider_checks.values()):
        raise NotAdmitted(AdmissionRefusal.PROVIDER)
    applications = {application, session.application if session else None}
    actors = {actor, session.actor if session else None}
    if not all(_is_usable(named) for named in applications if named is not None):
        raise NotAdmitted(AdmissionRefusal.APPLICATION)
    if not all(_may_act(find_actor(named, beside=user)) for named in actors if named is not None):
        raise NotAdmitted(AdmissionRefusal.ACTOR)


def _is_usable(application: UUID) -> bool:
    return all(check(application) for check in application_checks.values())


def _may_act(actor: UserLike | None) -> bool:
    return actor is not None and actor.is_active and not _is_locked(actor)


#: Whether the code that calls the authentication backends asks `admit` itself.
_asks_itself: ContextVar[bool] = ContextVar("auth_core_asks_admission", default=False)


@contextmanager
def asked_afterwards() -> Iterator[None]:
    """Let `IdentifierBackend` return people who are not admitted. The block's caller passes its result to `admit`.

    A login of ours records why a person was refused, so it needs to know who proved the password.
    """
    token = _asks_itself.set(True)
    try:
        yield
    finally:
        _asks_itself.reset(token)


def is_asked_afterwards() -> bool:
    """Return whether the caller of the authentication backends asks `admit` itself."""
    return _asks_itself.get()


def _is_locked(user: UserLike) -> bool:
    identity = getattr(user, "auth_identity", None)
    return identity is not None and identity.locked_at is not None


def _has_ended(session: SessionFacts) -> bool:
    """Return whether the session has expired. Expiry is checked on read, never by a sweeper."""
    moment = timezone.now()
    ends = [end for end in (session.expires_at, session.idle_expires_at) if end is not None]
    return any(end <= moment for end in ends)
