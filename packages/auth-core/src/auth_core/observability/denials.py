"""Denials in the audit trail: refused access, and attempts to bypass a control.

Source: ASVS 16.3.2 and 16.3.3.

`RequestContextMiddleware` calls `record_denial` for every response, so that it sees every 403: from our API, a page,
Django's admin or a view of the site. Code that knows the reason calls `mark_denied`. A denial of a signed-in person
goes into the trail, within a budget (decision record 0016). An anonymous denial goes only to the log, because anonymous
callers could otherwise fill the trail.
"""

import logging
from enum import StrEnum
from http import HTTPMethod, HTTPStatus
from typing import Any
from uuid import UUID

from django.core.exceptions import (
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    TooManyFilesSent,
)
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auth_core import limits
from auth_core.assurance.evidence import session_of
from auth_core.errors import (
    AmbiguousCredentials,
    AuthError,
    CsrfFailed,
    InsufficientUserAuthentication,
    InvalidRequest,
    LoginDenied,
    MalformedBody,
    MoreProofRequired,
    PayloadTooLarge,
    PermissionRefused,
    TooManyAttempts,
    UnsupportedMediaType,
)
from auth_core.events import AuthEvent, Event, EventName, EventOutcome, record
from auth_core.observability.logs import SECURITY
from auth_core.people.service_subject import ServiceSubject
from auth_core.request.client import client_of
from auth_core.request.context import Denial, current
from auth_core.users import UserLike

logger = logging.getLogger("auth_core.observability.denials")
_security = logging.getLogger(SECURITY)


class DenialReason(StrEnum):
    """Why access was denied, for reasons without an error code of their own."""

    #: The object exists, but the caller gets a 404.
    NOT_SHOWN = "not_shown"

    #: Another site made this person's browser send the request.
    FOREIGN_ORIGIN = "foreign_origin"

    #: The credential of a cookie was sent in the header, or the reverse.
    OTHER_TRANSPORT = "other_transport"

    #: The session is used elsewhere than where it was proved, and must prove itself again.
    CONTEXT_CHANGED = "session_context_changed"

    UNKNOWN_HOST = "unknown_host"
    UNKNOWN_FIELD = "unknown_field"
    SUSPICIOUS = "suspicious_operation"


#: Denials that no client of ours causes by mistake. Recorded as `auth.threat.detected` if a person is signed in.
_THREATS = frozenset({
    AmbiguousCredentials.code, DenialReason.FOREIGN_ORIGIN.value, DenialReason.OTHER_TRANSPORT.value,
    DenialReason.SUSPICIOUS.value,
})  # fmt: skip

#: Attempts to bypass a control. They go to the security log, with or without a signed-in person.
_ATTEMPTS = _THREATS | {
    CsrfFailed.code, DenialReason.UNKNOWN_HOST.value, DenialReason.UNKNOWN_FIELD.value,
    MalformedBody.code, PayloadTooLarge.code, UnsupportedMediaType.code,
}  # fmt: skip

#: Denials with another status than 403.
_DENIED = frozenset({
    InsufficientUserAuthentication.code, PermissionRefused.code,
    DenialReason.NOT_SHOWN.value, DenialReason.CONTEXT_CHANGED.value,
})  # fmt: skip

#: Already recorded by the login, as `auth.login.denied`.
_RECORDED_ELSEWHERE = frozenset({LoginDenied.code, MoreProofRequired.code})

_REASONS_BY_EXCEPTION: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((PermissionDenied,), PermissionRefused.code),
    ((DisallowedHost,), DenialReason.UNKNOWN_HOST.value),
    ((RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent), PayloadTooLarge.code),
    ((SuspiciousOperation,), DenialReason.SUSPICIOUS.value),
)

_METHODS = frozenset(HTTPMethod)


def mark_denied(reason: str, *, subject: UserLike | None = None, session: UUID | None = None) -> None:
    """Mark this request as denied. Only the first reason counts. It is recorded after the response.

    Args:
        reason: Closed word: a `DenialReason`, or the code of an error.
        subject: The person. By default the signed-in user.
        session: Public id of the session. By default the session of the request.
    """
    context = current()
    if context.client is not None and not context.denials:
        context.denials.append(Denial(str(reason), subject, session))


def mark_denied_by(exception: Exception) -> None:
    """Mark this request as denied by *exception*, if it is a kind that is recorded."""
    reason = _reason_of(exception)
    if reason:
        mark_denied(reason)


def record_denial(request: HttpRequest, response: HttpResponseBase) -> str:
    """Record the denial of *request*, after its transaction. Return the reason, or an empty string.

    The request stays denied even if recording fails. It changed nothing that could be rolled back.
    """
    denial = current().denials[0] if current().denials else None
    if denial is None:
        if response.status_code != HTTPStatus.FORBIDDEN:
            return ""
        denial = Denial(PermissionRefused.code)
    try:
        _log_and_record(request, response.status_code, denial)
    except Exception as problem:  # noqa: BLE001 - a receiver may raise any error. The request stays denied.
        logger.error(  # noqa: TRY400 - the text of the problem may hold what was sent
            "Could not record a denial (%s): %s. The request is still denied.",
            denial.reason,
            type(problem).__name__,
            extra={"refusal": denial.reason, "problem": type(problem).__name__, **_route_of(request)},
        )
    return denial.reason


def _log_and_record(request: HttpRequest, status: int, denial: Denial) -> None:
    if denial.reason in _ATTEMPTS:
        fields = {"refusal": denial.reason, "status": status, "network": client_of(request).network}
        _security.warning("Attempt refused: %s", denial.reason, extra={**fields, **_route_of(request)})
    name = _event_name_for(denial.reason, status)
    person = None if name is None else denial.subject or _signed_in_user(request)
    if name is not None and person is not None:
        _record_event(name, request, denial, person)


def _event_name_for(reason: str, status: int) -> EventName | None:
    """Return the name of the event. ``None`` if it is already in the trail or only for the log."""
    if reason in _THREATS:
        return AuthEvent.THREAT_DETECTED
    is_denied = reason in _DENIED or status == HTTPStatus.FORBIDDEN
    return AuthEvent.ACCESS_DENIED if is_denied and reason not in _RECORDED_ELSEWHERE else None


def _record_event(name: EventName, request: HttpRequest, denial: Denial, caller: UserLike | ServiceSubject) -> None:
    """Append the event within the budget of the caller and network. An exhausted budget is recorded as well.

    An application that acts for itself is named as the application of the event, which then has no subject.
    """
    is_service = isinstance(caller, ServiceSubject)
    key = caller.public_id if isinstance(caller, ServiceSubject) else caller.pk
    client, session = client_of(request), denial.session
    if session is None and (facts := session_of(request)) is not None:
        session = facts.id
    with transaction.atomic(durable=True):
        try:
            limits.charge_within("refusal", client=client, person=str(key))
        except TooManyAttempts:
            return
        record(
            Event(
                name=name,
                subject=None if is_service else caller,
                session=session,
                application=key if is_service else None,
                outcome=EventOutcome.DENIED,
                reason=denial.reason,
                client=client,
                data=_route_of(request),
            )
        )


def _signed_in_user(request: HttpRequest) -> Any:
    """Return the signed-in user, or ``None``. A request that was refused early has no user."""
    user = getattr(request, "user", None)
    return user if user is not None and user.is_authenticated else None


def _route_of(request: HttpRequest) -> dict[str, str]:
    """Return the route and method. Never the path, which may contain a token, nor any other text of the caller."""
    match = request.resolver_match
    return {"route": match.route if match else "", "method": request.method if request.method in _METHODS else ""}


def _reason_of(exception: Exception) -> str:
    if isinstance(exception, CsrfFailed) and exception.is_foreign:
        return DenialReason.FOREIGN_ORIGIN.value
    if isinstance(exception, InsufficientUserAuthentication) and exception.context_changed:
        return DenialReason.CONTEXT_CHANGED.value
    if isinstance(exception, InvalidRequest) and any(error.code == "unknown_field" for error in exception.errors):
        return DenialReason.UNKNOWN_FIELD.value
    if isinstance(exception, AuthError):
        return exception.code
    return next((reason for kinds, reason in _REASONS_BY_EXCEPTION if isinstance(exception, kinds)), "")
