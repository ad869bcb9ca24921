"""The application that calls an endpoint, and what every endpoint does for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, Self

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from oauth2_provider.models import get_application_model

from auth_core import limits
from auth_core.errors import TooManyAttempts
from auth_core.events import Event, EventOutcome, record
from auth_core.oauth.clients.authentication import authenticate_client, read_credentials
from auth_core.oauth.clients.registry import RegisteredApplication
from auth_core.oauth.endpoints.answers import answered
from auth_core.oauth.endpoints.parameters import Parameters, form_parameters
from auth_core.oauth.errors import OAuthError
from auth_core.oauth.events import OAuthEvent
from auth_core.request.client import Client, client_of

#: The longest origin that is looked for, in characters.
_LONGEST_ORIGIN = 255

_CORS = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
    "Access-Control-Max-Age": "600",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An application that authenticated, with what it sent.

    Args:
        client: The far end of the request.
    """

    application: RegisteredApplication
    parameters: Parameters
    client: Client

    @classmethod
    def authenticate(cls, request: HttpRequest) -> Self:
        """Return the caller of *request*.

        Raises:
            InvalidRequest, BodyTooLarge: the body is no form, or it authenticates in two ways.
            InvalidClient, TooManyRequests: it does not authenticate.
        """
        parameters = form_parameters(request)
        header = request.META.get("HTTP_AUTHORIZATION", "")
        credentials = read_credentials(header, parameters.get("client_id"), parameters.get("client_secret"))
        client = client_of(request)
        return cls(application=authenticate_client(credentials, client), parameters=parameters, client=client)


@contextmanager
def refusals_recorded(caller: Caller, *, endpoint: str, grant: str = "") -> Iterator[None]:
    """Record a refusal of *caller* in the trail, within the budget of refusals. The refusal itself changes nothing."""
    try:
        yield
    except OAuthError as problem:
        with transaction.atomic(durable=True):
            try:
                limits.charge_within("refusal", client=caller.client, person=str(caller.application.id))
            except TooManyAttempts:
                raise problem from None
            record(
                Event(
                    name=OAuthEvent.REQUEST_REFUSED,
                    application=caller.application.id,
                    outcome=EventOutcome.DENIED,
                    reason=problem.error,
                    client=caller.client,
                    data={"endpoint": endpoint, "grant": grant},
                )
            )
        raise


def with_cors(view: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Let the scripts of origins that an application registered read the answers of *view* (RFC 10017).

    A preflight names no client, so the origin of any active application passes it.
    """

    @wraps(view)
    def allowing(request: HttpRequest) -> HttpResponseBase:
        origin = request.META.get("HTTP_ORIGIN", "")
        response = HttpResponse(status=204) if request.method == "OPTIONS" else answered(view, request)
        if origin and _is_registered(origin):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
            if request.method == "OPTIONS":
                for name, value in _CORS.items():
                    response.headers[name] = value
        patch_vary_headers(response, ("Origin",))
        return response

    return allowing


def _is_registered(origin: str) -> bool:
    """Return whether an active application has exactly this origin."""
    if len(origin) > _LONGEST_ORIGIN or "\x00" in origin:
        return False
    rows: Any = get_application_model()._base_manager.filter(auth_policy__is_active=True)
    lists = rows.filter(allowed_origins__contains=origin).values_list("allowed_origins", flat=True)
    return any(origin in text.split() for text in lists)
