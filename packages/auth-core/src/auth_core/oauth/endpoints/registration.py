"""``/oauth/register``: applications register themselves, and manage their registration.

Source: RFC 7591 section 3, RFC 7592 section 2, OpenID Connect Dynamic Client Registration section 3.
"""

from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from auth_core import limits
from auth_core.errors import TooManyAttempts
from auth_core.events import Event, EventOutcome, record
from auth_core.oauth.clients.registry import find_application
from auth_core.oauth.conf import oauth
from auth_core.oauth.dynamic.registration import (
    Registered,
    change,
    find_initial_token,
    find_registration,
    remove,
)
from auth_core.oauth.dynamic.registration import (
    register as register_application,
)
from auth_core.oauth.endpoints.answers import address_of, endpoint, json_answer
from auth_core.oauth.endpoints.parameters import json_members
from auth_core.oauth.errors import InvalidClientMetadata, InvalidRequest, InvalidToken, MissingToken, TooManyRequests
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth_resource.errors import BEARER
from auth_core.oauth_resource.tokens.header import token_of_scheme
from auth_core.request.client import client_of


@endpoint("POST")
def register(request: HttpRequest) -> HttpResponseBase:
    """Register an application. 201 with its id, its secret and the token that manages it, which are never shown again."""
    text = _token(request)
    initial = find_initial_token(text)
    if initial is None:
        raise _failure(request, "initial_token")
    made = register_application(_members(request), initial_token=initial, client=client_of(request))
    return _answer(made, status=201)


@endpoint("GET", "PUT", "DELETE")
def manage(request: HttpRequest, client_id: str) -> HttpResponseBase:
    """Return, replace or remove a registration. A wrong token and another client look the same."""
    text = _token(request)
    registration = find_registration(client_id, text)
    if registration is None:
        raise _failure(request, "registration_token", client_id=client_id)
    if request.method == "DELETE":
        remove(registration)
        return HttpResponse(status=204, headers={"Cache-Control": "no-store"})
    if request.method == "PUT":
        return _answer(change(registration, _members(request), client=client_of(request)))
    return _answer(Registered(registration=registration, token=text))


def _answer(made: Registered, *, status: int = 200) -> HttpResponse:
    application: Any = made.registration.policy.application
    return json_answer(made.members(address=address_of("registration", application.client_id)), status=status)


def _token(request: HttpRequest) -> str:
    """Return the token in the header.

    Raises:
        Http404: this service registers no application like this.
        MissingToken: there is none.
        InvalidToken: it is malformed.
    """
    if not oauth.DYNAMIC_REGISTRATION:
        raise Http404
    text = token_of_scheme(request, BEARER)
    if text is None:
        raise MissingToken
    return text


def _members(request: HttpRequest) -> dict[str, object]:
    """Return the metadata in the body. What is no JSON object is no metadata (RFC 7591 section 3.2.2).

    Raises:
        InvalidClientMetadata: it is none.
        BodyTooLarge: it is too long.
    """
    try:
        return dict(json_members(request))
    except InvalidRequest as problem:
        raise InvalidClientMetadata(str(problem)) from problem


def _failure(request: HttpRequest, reason: str, *, client_id: str = "") -> Exception:
    """Charge and record a wrong token, as a wrong secret is, and return the answer."""
    client = client_of(request)
    try:
        limits.charge("client", client=client)
    except TooManyAttempts as refusal:
        return TooManyRequests(max(1, int(refusal.retry_after.total_seconds())))
    application = find_application(client_id) if client_id else None
    with transaction.atomic(durable=True):
        record(
            Event(
                name=OAuthEvent.CLIENT_FAILED,
                application=None if application is None else application.id,
                outcome=EventOutcome.FAILURE,
                reason=reason,
                client=client,
                data={"method": "bearer"},
            )
        )
    return InvalidToken()
