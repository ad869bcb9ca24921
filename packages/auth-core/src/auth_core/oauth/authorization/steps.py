"""What a person still has to do before a request is answered.

Nothing remembers which steps were done. What the session has proved, and when, is compared with the time of the request.
"""

from datetime import datetime
from enum import Enum
from uuid import UUID

from django.utils import timezone

from auth_core.administration import can_prove
from auth_core.assurance.evidence import SessionFacts
from auth_core.assurance.levels import Assurance
from auth_core.oauth.authorization import details as asked_for
from auth_core.oauth.authorization.details import Details
from auth_core.oauth.authorization.errors import (
    AccessDenied,
    ConsentRequired,
    InteractionRequired,
    LoginRequired,
    UnmetRequirements,
)
from auth_core.oauth.clients.registry import may_use, served
from auth_core.oauth.errors import OAuthError
from auth_core.oauth.keys.subjects import subject_of
from auth_core.people.admission import NotAdmitted, admit
from auth_core.users import UserLike


class Step(Enum):
    """The next thing that a person has to do. Each has the error for a client that forbids pages."""

    LOGIN = "login", LoginRequired
    #: Sign in as another person. The present session stays until that has happened.
    OTHER_ACCOUNT = "other_account", LoginRequired
    PROVE_AGAIN = "prove_again", LoginRequired
    PROVE_MORE = "prove_more", InteractionRequired
    CONSENT = "consent", ConsentRequired
    #: Nothing is left.
    ANSWER = "answer", OAuthError

    def __init__(self, word: str, error: type[OAuthError]) -> None:
        self.word = word
        self.error = error


def next_proof(details: Details, user: UserLike, session: SessionFacts) -> Step | None:
    """Return what *user* has to prove. ``None`` if nothing is left.

    Raises:
        AccessDenied: they may not use the application, or cannot reach the level that it requires.
        LoginRequired: they signed in for this request, and are not the person that the client expects.
        UnmetRequirements: they cannot reach an essential level.
    """
    _refuse_unless_admitted(details, user, session)
    if details.hint_subject and details.hint_subject != subject_of(details.application, user):
        if is_proved_since(session, details.row.created_at):
            raise LoginRequired
        return Step.OTHER_ACCOUNT
    if session.context_changed or _is_too_old(details, session):
        return Step.PROVE_AGAIN
    return Step.PROVE_MORE if missing_level(details, user, session) is not None else None


def is_proved_since(session: SessionFacts, moment: datetime) -> bool:
    """Return whether everything that *session* rests on was proved after *moment*.

    The time of the last proof would not do: a second factor alone makes no new login.
    """
    return bool(session.evidence) and min(proof.at for proof in session.evidence) >= moment


def missing_level(details: Details, user: UserLike, session: SessionFacts) -> Assurance | None:
    """Return the level that a step-up should reach. ``None`` if none is needed, or the person cannot reach it.

    A level of the application and an essential one must be reached. A voluntary one that is out of reach yields a login with
    the level that was proved (OpenID Connect Core section 15.1).

    Raises:
        AccessDenied: the level of the application is out of reach.
        UnmetRequirements: every essential level is.
    """
    required = Assurance.from_acr(details.application.required_assurance or Assurance.NONE.acr)
    if session.assurance < required:
        if not _can_rise(required, details, user, session):
            raise AccessDenied("The person cannot reach the assurance that this application requires.")
        return required
    if details.essential_levels is not None and not _has_any(session, details.essential_levels):
        level = _reachable(details.essential_levels, details, user, session)
        if level is None:
            raise UnmetRequirements
        return level
    if details.levels and not _has_any(session, details.levels):
        return _reachable(details.levels, details, user, session)
    return None


def wants_consent(details: Details, session: SessionFacts) -> bool:
    """Return whether the client wants the person to be asked, even if they have consented before.

    A person who signed in for this request has just selected their account.
    """
    if asked_for.CONSENT in details.prompts:
        return True
    return is_selecting(details, session)


def is_selecting(details: Details, session: SessionFacts) -> bool:
    """Return whether the person has to select an account."""
    return asked_for.SELECT_ACCOUNT in details.prompts and not is_proved_since(session, details.row.created_at)


def _refuse_unless_admitted(details: Details, user: UserLike, session: SessionFacts) -> None:
    application: UUID = details.application.id
    try:
        with served(details.application):
            admit(user, application=application, session=session)
    except NotAdmitted as refused:
        raise AccessDenied from refused
    if not may_use(user, details.application):
        raise AccessDenied


def _is_too_old(details: Details, session: SessionFacts) -> bool:
    if is_proved_since(session, details.row.created_at):
        # Proved for this request. Otherwise a short age would ask again and again.
        return False
    if asked_for.LOGIN in details.prompts:
        return True
    return details.max_age is not None and timezone.now() - session.authenticated_at > details.max_age


def _has_any(session: SessionFacts, levels: tuple[Assurance, ...]) -> bool:
    return any(session.assurance >= level for level in levels)


def _reachable(
    levels: tuple[Assurance, ...], details: Details, user: UserLike, session: SessionFacts
) -> Assurance | None:
    return next((level for level in sorted(levels) if _can_rise(level, details, user, session)), None)


def _can_rise(level: Assurance, details: Details, user: UserLike, session: SessionFacts) -> bool:
    """Return whether another proof could reach *level*.

    Only the use of a key shows whether it is bound to its device, so the third level is tried once for a request.
    """
    if not can_prove(user, level):
        return False
    return level < Assurance.AAL3 or not is_proved_since(session, details.row.created_at)
