"""Django's signals about logins.

They cover a site without the logins of auth_core, and supply the typed identifier for those of auth_core.
auth_core sends the same signals, and records its own events. A failed login names the account if there is one.
"""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import DataError, transaction

from auth_audit.append.digests import digest_of_today
from auth_core.events import AuthEvent, Event, EventName, EventOutcome, is_recorded_by_caller, record
from auth_core.people.admission import NotAdmitted, admit
from auth_core.people.lookup import find_by_identifier
from auth_core.request.context import correlation_id
from auth_core.users import UserLike

if TYPE_CHECKING:
    from django.http import HttpRequest

#: The target kind of a typed identifier.
IDENTIFIER = "identifier"

#: The request in which an identifier was typed, with its digest, and the request whose login or logout was
#: recorded.
_typed: ContextVar[tuple[str, str]] = ContextVar("auth_audit_typed", default=("", ""))
_recorded: ContextVar[tuple[str, EventName | None]] = ContextVar("auth_audit_recorded", default=("", None))


def connect() -> None:
    """Connect the receivers."""
    user_login_failed.connect(_login_failed, dispatch_uid="auth_audit.login_failed")
    user_logged_in.connect(_logged_in, dispatch_uid="auth_audit.logged_in")
    user_logged_out.connect(_logged_out, dispatch_uid="auth_audit.logged_out")


def target_of(event: Event) -> tuple[str, str]:
    """Return the target of *event*. For a failed login without an account, it is the digest of the typed identifier."""
    if event.name in (AuthEvent.LOGIN_SUCCEEDED, AuthEvent.LOGOUT_COMPLETED):
        _recorded.set((correlation_id(), event.name))
    if event.target is not None:
        return event.target
    request, digest = _typed.get()
    if event.name is AuthEvent.LOGIN_FAILED and event.subject is None and request == correlation_id():
        return IDENTIFIER, digest
    return "", ""


def _login_failed(credentials: dict[str, Any], request: "HttpRequest | None" = None, **kwargs: Any) -> None:
    typed = _identifier_in(credentials)
    if typed is not None:
        _typed.set((correlation_id(), digest_of_today(typed)))
    if is_recorded_by_caller():
        return
    person = None if typed is None else _find(typed)
    with transaction.atomic():
        record(
            Event(
                name=AuthEvent.LOGIN_FAILED,
                subject=person,
                outcome=EventOutcome.FAILURE,
                reason=_reason_of(person),
            )
        )


def _identifier_in(credentials: dict[str, Any]) -> str | None:
    """Return what was typed as the name of the account. Each backend has its own name for it."""
    names = ("username", get_user_model().USERNAME_FIELD, "email", "login", "identifier")
    return next((value for name in names if isinstance(value := credentials.get(name), str) and value), None)


def _find(identifier: str) -> Any:
    """Return the account that *identifier* names, or ``None``, also for text that no column can hold."""
    try:
        with transaction.atomic():
            return find_by_identifier(identifier)
    except (ValueError, DataError):
        return None


def _reason_of(person: Any) -> str:
    """Return why a login of *person* failed: the account is unknown or not admitted, or else the password was wrong."""
    try:
        admit(person)
    except NotAdmitted as refusal:
        return refusal.reason.value
    return "password"


def _logged_in(request: "HttpRequest | None", user: UserLike, **kwargs: Any) -> None:
    _record_once(AuthEvent.LOGIN_SUCCEEDED, request, user)


def _logged_out(request: "HttpRequest | None", user: UserLike | None, **kwargs: Any) -> None:
    if user is not None:
        _record_once(AuthEvent.LOGOUT_COMPLETED, request, user)


def _record_once(name: AuthEvent, request: "HttpRequest | None", user: UserLike) -> None:
    """Record a login or logout by Django's own views. A request without a route is a test or a script."""
    is_recorded = _recorded.get() == (correlation_id(), name)
    _recorded.set(("", None))  # without our middleware all requests of a thread share one id
    if not is_recorded and getattr(request, "resolver_match", None) is not None:
        with transaction.atomic():
            record(Event(name=name, subject=user))
