"""Refusals that leave a trace: what somebody may not do, and attempts to get past what keeps others out.

Source: ASVS 16.3.2 and 16.3.3.

`RequestContextMiddleware` has every answer settled here, so that a 403 is seen wherever it
comes from: our API, a page, Django's admin, a view of the site. Who knows more says so with
`note`. What a person was refused goes into the trail, within a budget (decision record 0016);
what nobody stands behind goes to the log alone, because anybody could fill the trail with it.
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
from auth_core.request.client import client_of
from auth_core.request.context import Noted, current

logger = logging.getLogger("auth_core.observability.denials")
_security = logging.getLogger(SECURITY)


class Reason(StrEnum):
    """Why something was refused, where the code of no refusal says it."""

    #: It is there, and the caller is told that it is not.
    NOT_SHOWN = "not_shown"

    #: Another site had this person's browser send the request.
    FOREIGN_ORIGIN = "foreign_origin"

    #: The credential of a cookie came in the header, or the reverse.
    OTHER_TRANSPORT = "other_transport"

    #: The session is used from elsewhere than where it was proved, and was asked for a proof.
    CONTEXT_CHANGED = "session_strayed"

    UNKNOWN_HOST = "unknown_host"
    UNKNOWN_FIELD = "unknown_field"
    SUSPICIOUS = "suspicious_operation"


#: What no client of ours does by mistake: `auth.threat.detected`, when a person stands behind it.
_THREATS = frozenset({
    AmbiguousCredentials.code, Reason.FOREIGN_ORIGIN.value, Reason.OTHER_TRANSPORT.value, Reason.SUSPICIOUS.value,
})  # fmt: skip

#: Attempts to get past a control: a line in the log of security, whoever stands behind it.
_ATTEMPTS = _THREATS | {
    CsrfFailed.code, Reason.UNKNOWN_HOST.value, Reason.UNKNOWN_FIELD.value,
    MalformedBody.code, PayloadTooLarge.code, UnsupportedMediaType.code,
}  # fmt: skip

#: Refused for want of something, with another status than 403.
_DENIED = frozenset({
    InsufficientUserAuthentication.code, PermissionRefused.code, Reason.NOT_SHOWN.value, Reason.CONTEXT_CHANGED.value,
})  # fmt: skip

#: Recorded where they are decided, as `auth.login.denied`.
_RECORDED = frozenset({LoginDenied.code, MoreProofRequired.code})

_RAISED: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((PermissionDenied,), PermissionRefused.code),
    ((DisallowedHost,), Reason.UNKNOWN_HOST.value),
    ((RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent), PayloadTooLarge.code),
    ((SuspiciousOperation,), Reason.SUSPICIOUS.value),
)

_METHODS = frozenset(HTTPMethod)


def note(reason: str, *, subject: Any = None, session: UUID | None = None) -> None:
    """Say why this request is refused; what was said first stands. Recorded when the request is answered.

    Args:
        reason: Closed word: a `Reason`, or the code of a refusal.
        subject: The person behind it; left out: whoever is signed in.
        session: Public id of the session that it is about; left out: the one that they are signed in to.
    """
    context = current()
    if context.client is not None and not context.noted:
        context.noted.append(Noted(str(reason), subject, session))


def note_raised(exception: Exception) -> None:
    """Say what was raised, if it is something of which a trace is left."""
    reason = _reason_of(exception)
    if reason:
        note(reason)


def settle(request: HttpRequest, response: HttpResponseBase) -> str:
    """Record what was refused, after the transaction of the request; return the reason, empty if there is none.

    The refusal stands whatever happens here: it changed nothing that could be undone.
    """
    noted = current().noted[0] if current().noted else None
    if noted is None:
        if response.status_code != HTTPStatus.FORBIDDEN:
            return ""
        noted = Noted(PermissionRefused.code)
    try:
        _settle(request, response.status_code, noted)
    except Exception as problem:  # noqa: BLE001 - a receiver may raise whatever it likes; the caller is refused all the same
        logger.error(  # noqa: TRY400 - the text of the problem may hold what was sent
            "A refusal could not be recorded; it stands.",
            extra={"refusal": noted.reason, "problem": type(problem).__name__, **_place(request)},
        )
    return noted.reason


def _settle(request: HttpRequest, status: int, noted: Noted) -> None:
    if noted.reason in _ATTEMPTS:
        told = {"refusal": noted.reason, "status": status, "network": client_of(request).network}
        _security.warning("attempt", extra={**told, **_place(request)})
    name = _event_of(noted.reason, status)
    person = None if name is None else noted.subject or _signed_in(request)
    if name is not None and person is not None:
        _record(name, request, noted, person)


def _event_of(reason: str, status: int) -> EventName | None:
    """Return what it is called in the trail; ``None``: it stands there already, or is for the log alone."""
    if reason in _THREATS:
        return AuthEvent.THREAT_DETECTED
    is_denied = reason in _DENIED or status == HTTPStatus.FORBIDDEN
    return AuthEvent.ACCESS_DENIED if is_denied and reason not in _RECORDED else None


def _record(name: EventName, request: HttpRequest, noted: Noted, person: Any) -> None:
    """Append the entry, if the budget of the person and their network has one left; that it has none is an entry, too."""
    client, session = client_of(request), noted.session
    if session is None and (facts := session_of(request)) is not None:
        session = facts.id
    with transaction.atomic(durable=True):
        try:
            limits.charge_within("refusal", client=client, person=str(person.pk))
        except TooManyAttempts:
            return
        record(
            Event(
                name=name,
                subject=person,
                session=session,
                outcome=EventOutcome.DENIED,
                reason=noted.reason,
                client=client,
                data=_place(request),
            )
        )


def _signed_in(request: HttpRequest) -> Any:
    """Return who is signed in, if anybody; a request that was refused early was never asked."""
    user = getattr(request, "user", None)
    return user if user is not None and user.is_authenticated else None


def _place(request: HttpRequest) -> dict[str, str]:
    """Return route and method: never the path, which may hold a token, and no word of the caller's."""
    match = request.resolver_match
    return {"route": match.route if match else "", "method": request.method if request.method in _METHODS else ""}


def _reason_of(exception: Exception) -> str:
    if isinstance(exception, CsrfFailed) and exception.is_foreign:
        return Reason.FOREIGN_ORIGIN.value
    if isinstance(exception, InsufficientUserAuthentication) and exception.context_changed:
        return Reason.CONTEXT_CHANGED.value
    if isinstance(exception, InvalidRequest) and any(wrong.code == "unknown_field" for wrong in exception.errors):
        return Reason.UNKNOWN_FIELD.value
    if isinstance(exception, AuthError):
        return exception.code
    return next((reason for kinds, reason in _RAISED if isinstance(exception, kinds)), "")
