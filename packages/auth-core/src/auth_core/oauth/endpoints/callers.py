"""The application that calls an endpoint, and what every endpoint does for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import Any, NamedTuple, Self, TypeVar

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from oauth2_provider.models import get_application_model

from auth_core import limits
from auth_core.errors import TooManyAttempts
from auth_core.events import Event, EventOutcome, record
from auth_core.oauth.clients.authentication import (
    Credentials,
    assertion_of,
    authenticate_client,
    read_credentials,
    refuse_replayed,
    remembered_client,
)
from auth_core.oauth.clients.registry import RegisteredApplication, StaleApplication
from auth_core.oauth.endpoints.answers import answered
from auth_core.oauth.endpoints.parameters import Parameters, form_parameters
from auth_core.oauth.errors import AuthorizationPending, InvalidClient, OAuthError, TooManyRequests, UseDPoPNonce
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.proofs.one_time import OneTime, spend_all
from auth_core.oauth.proofs.requests import ANYONE, Sender, presented_proof, sender_of
from auth_core.oauth_resource.proofs.headers import PresentedProof
from auth_core.oauth_resource.proofs.nonces import current_nonce
from auth_core.request.client import Client, client_of

T = TypeVar("T")

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
        is_remembered: Whether the application is as this process remembers it, and may have changed.
        assertion: What authenticated it, to be spent. ``None``: something that can be used again, or it is spent already.
        presented: Its DPoP header.
        sender: The holder of the key of that header, once `with_sender` has read it.
    """

    application: RegisteredApplication
    parameters: Parameters
    client: Client
    is_remembered: bool = False
    assertion: OneTime | None = None
    presented: PresentedProof = field(default_factory=PresentedProof)
    sender: Sender = ANYONE

    @property
    def version(self) -> str:
        """The version that the application must still have. Empty if it has just been read."""
        return self.application.version if self.is_remembered else ""

    @property
    def unspent(self) -> tuple[OneTime, ...]:
        """What this request must spend: its assertion and its proof."""
        return tuple(thing for thing in (self.assertion, self.sender.proof) if thing is not None)

    def with_sender(self) -> Self:
        """Return this caller with the holder of its key. Nothing is spent.

        Raises:
            InvalidDPoPProof: the proof is not one for this request.
            UseDPoPNonce: it has no current nonce.
        """
        return replace(self, sender=sender_of(self.presented))

    def charge_row(self) -> None:
        """Charge a row that this caller causes to its network, if it is public. Anyone can be a public client.

        Raises:
            TooManyRequests: too many requests came from this network.
        """
        if not self.application.is_public:
            return
        try:
            limits.charge("authorize", client=self.client)
        except TooManyAttempts as refusal:
            raise TooManyRequests(max(1, int(refusal.retry_after.total_seconds()))) from refusal

    @classmethod
    def authenticate(cls, request: HttpRequest) -> Self:
        """Return the caller of *request*. One statement, and one that spends its assertion.

        Raises:
            InvalidRequest, BodyTooLarge: the body is no form, or it authenticates in two ways.
            InvalidClient, TooManyRequests: it does not authenticate.
        """
        return cls._of(request, _read(request), spends_later=False)

    @classmethod
    def authenticate_unspent(cls, request: HttpRequest) -> Self:
        """Return the caller of *request*, whose assertion the endpoint spends together with something else."""
        return cls._of(request, _read(request), spends_later=True)

    @classmethod
    def _of(cls, request: HttpRequest, sent: "_Sent", *, spends_later: bool) -> Self:
        client = client_of(request)
        application = authenticate_client(sent.credentials, client)
        assertion = assertion_of(sent.credentials)
        if assertion is not None and not spends_later:
            try:
                spend_all([assertion])
            except InvalidClient:
                refuse_replayed(application, sent.credentials, client)
            assertion = None
        return cls(
            application=application,
            parameters=sent.parameters,
            client=client,
            assertion=assertion,
            presented=presented_proof(request),
        )

    @classmethod
    def answer(cls, request: HttpRequest, act: Callable[[Self], T], *, spends_later: bool = False) -> T:
        """Return what *act* returns for the caller of *request*, if possible without a statement for the caller itself.

        Args:
            act: Raises `StaleApplication`, before it changes anything, if a caller that was remembered has changed. It is
                then called again, for the caller as it is now.
            spends_later: Whether *act* spends `unspent`, together with something else.

        Raises:
            InvalidRequest, BodyTooLarge, InvalidClient, TooManyRequests: as in `authenticate`.
        """
        sent = _read(request)
        remembered = cls._remembered(request, sent)
        if remembered is not None:
            try:
                return act(remembered)
            except StaleApplication:
                pass
        return act(cls._of(request, sent, spends_later=spends_later))

    @classmethod
    def remembered(cls, request: HttpRequest) -> Self | None:
        """Return the caller of *request* if this process remembers it, or ``None``. No statement, and nothing is charged.

        Raises:
            InvalidRequest, BodyTooLarge, InvalidClient: as in `authenticate`.
        """
        return cls._remembered(request, _read(request))

    @classmethod
    def _remembered(cls, request: HttpRequest, sent: "_Sent") -> Self | None:
        application = remembered_client(sent.credentials)
        if application is None:
            return None
        return cls(application=application, parameters=sent.parameters, client=client_of(request), is_remembered=True)


class _Sent(NamedTuple):
    """What a request sent."""

    parameters: Parameters
    credentials: Credentials


def _read(request: HttpRequest) -> _Sent:
    parameters = form_parameters(request)
    credentials = read_credentials(
        request.META.get("HTTP_AUTHORIZATION", ""),
        parameters.get("client_id"),
        parameters.get("client_secret"),
        assertion=parameters.get("client_assertion"),
        assertion_type=parameters.get("client_assertion_type"),
    )
    return _Sent(parameters, replace(credentials, has_proof=True) if "HTTP_DPOP" in request.META else credentials)


@contextmanager
def refusals_recorded(caller: Caller, *, endpoint: str, grant: str = "") -> Iterator[None]:
    """Record a refusal of *caller* in the trail, within the budget of refusals. The refusal itself changes nothing.

    A challenge for a nonce is none, because the client sends the same request again. Neither is the answer that a person has
    not decided yet.
    """
    try:
        yield
    except (UseDPoPNonce, AuthorizationPending):
        raise
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
            response.headers["Access-Control-Expose-Headers"] = "DPoP-Nonce, WWW-Authenticate"
            if request.method == "OPTIONS":
                for name, value in _CORS.items():
                    response.headers[name] = value
        patch_vary_headers(response, ("Origin",))
        return response

    return allowing


def with_nonce(view: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Send the nonce for the next proof with every answer to a request that has one, so that no challenge is needed."""

    @wraps(view)
    def adding(request: HttpRequest) -> HttpResponseBase:
        response = answered(view, request)
        if "HTTP_DPOP" in request.META:
            response.headers["DPoP-Nonce"] = current_nonce()
        return response

    return adding


def _is_registered(origin: str) -> bool:
    """Return whether an active application has exactly this origin."""
    if len(origin) > _LONGEST_ORIGIN or "\x00" in origin:
        return False
    rows: Any = get_application_model()._base_manager.filter(auth_policy__is_active=True)
    lists = rows.filter(allowed_origins__contains=origin).values_list("allowed_origins", flat=True)
    return any(origin in text.split() for text in lists)
