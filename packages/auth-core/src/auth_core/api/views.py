"""The base of all API views, and the views of this package."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from django.db import transaction
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils.cache import patch_vary_headers
from django.utils.module_loading import import_string
from rest_framework import status
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission, IsAuthenticated
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from auth_core import limits
from auth_core.api import problems
from auth_core.api.answers import ChallengedShape, CsrfShape, GrantedShape, MeShape
from auth_core.api.bodies import AnswerBody, Body, ChallengeBody, LoginBody, NoBody
from auth_core.api.parsers import JsonBodyParser
from auth_core.api.responses import login_response, me_body
from auth_core.assurance.evidence import check_context, session_of
from auth_core.conf import core
from auth_core.contracts import Purpose, Transport
from auth_core.errors import FieldError, InvalidRequest, MethodNotAllowed, NotAuthenticated, NotFound
from auth_core.login import journey
from auth_core.login.browser import browser_secret_of, browser_secret_or_new, end_unfinished_logins, leave_session
from auth_core.login.plugins import grant_issuer
from auth_core.models.pending_login import Caller
from auth_core.request.client import client_of

#: The purposes that ``login/answer/`` continues. Recovery and linking have their own URLs.
ANSWERED_HERE = frozenset({Purpose.LOGIN, Purpose.STEP_UP})

T = TypeVar("T")


def or_not_found(row: T | None) -> T:
    """Return *row*.

    Raises:
        NotFound: there is none.
    """
    if row is None:
        raise NotFound
    return row


class ApiView(APIView):
    """The base of every API view. It uses its own credentials, bodies and errors, not the host's DRF settings.

    It never runs inside ``ATOMIC_REQUESTS``. DRF would roll back the charge of every
    refused request there, and wrong guesses would cost nothing.
    """

    permission_classes: Sequence[type[BasePermission]] = (IsAuthenticated,)
    parser_classes = (JsonBodyParser,)
    renderer_classes: Sequence[type[BaseRenderer]] = (JSONRenderer,)
    throttle_classes = ()
    versioning_class = None

    #: The body of each method, and its response bodies by status. Both are for the schema.
    bodies: ClassVar[Mapping[str, type[Body]]] = {}
    answers: ClassVar[Mapping[str, Mapping[int | tuple[int, str], type[Any] | None]]] = {}

    #: The filters of a list. ``None`` for a view that is not a list.
    filters: ClassVar[type[Body] | None] = None

    #: The scope of access tokens that open each method, such as ``{"get": "orders:read"}``. No token opens any other. Never
    #: declare one where credentials, sessions or permissions are changed: the holder of a token has proved nothing.
    token_scopes: ClassVar[Mapping[str, str]] = {}

    #: The reason why a session whose context changed may make changes here. Empty: it may not.
    context_exempt: ClassVar[str] = ""

    #: Whether changes here are charged to the budget `change`: people who change their own data.
    counts_changes = False

    #: Whether `post` itself checks the CSRF token, because the transport is in the body.
    csrf_by_transport = False

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, exempt from ``ATOMIC_REQUESTS``."""
        return transaction.non_atomic_requests(super().as_view(**initkwargs))

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return the authenticators in the order of ``AUTHENTICATION_CLASSES``."""
        return [import_string(path)() for path in core.AUTHENTICATION_CLASSES]

    def get_exception_handler(self) -> Callable[..., Response | None]:
        """Return the handler that writes problem documents."""
        return problems.handle

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate and authorise. Then check the header, CSRF, the context of the session and the budget of changes."""
        super().initial(request, *args, **kwargs)
        self.refuse_unread_header(request)
        if not self.csrf_by_transport:
            self.check_csrf(request)
        if request.method not in SAFE_METHODS and not self.context_exempt:
            check_context(session_of(request))
            if self.counts_changes:
                limits.charge("change", person=str(request.user.pk), client=client_of(request))

    def refuse_unread_header(self, request: Request) -> None:
        """Refuse a header credential that no authenticator accepted. It must not fall back to the cookie.

        Raises:
            NotAuthenticated: the request has such a header.
        """
        if "HTTP_AUTHORIZATION" in request.META and not authenticated_by_header(request):
            raise NotAuthenticated

    def check_csrf(self, request: Request) -> None:
        """Require the CSRF token unless a header authenticated the request.

        DRF checks only signed-in callers. An anonymous form could then sign a victim
        in as the attacker (login CSRF, ASVS 3.5.1).

        Raises:
            CsrfFailed: the token is missing or wrong, or another site sent the request.
        """
        if authenticated_by_header(request):
            return
        check = CSRFCheck(lambda _request: Response())
        check.process_request(request._request)
        if reason := check.process_view(request._request, self.dispatch, (), {}):
            raise problems.csrf_failed(str(reason))

    def created(self, body: Mapping[str, Any], *, below: str = "") -> Response:
        """Return 201 with *body*, and the address of the new object.

        Args:
            below: The address after that of the request.
        """
        location = self.request.build_absolute_uri(f"{self.request.path}{below}")
        return Response(body, status=status.HTTP_201_CREATED, headers={"Location": location})

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Refuse the method and name the allowed ones."""
        raise MethodNotAllowed(allowed=self.allowed_methods)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Any:
        """Forbid caching, because responses are personal (ASVS 14.3.2)."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers["Cache-Control"] = "no-store"
        patch_vary_headers(final, ("Cookie", "Authorization"))
        # An access token that is bound to a key brings the nonce for the next proof. The attribute `auth` would authenticate.
        for name, value in getattr(getattr(request, "_auth", None), "answer_headers", {}).items():
            final.headers[name] = value
        return final


class AnonymousApiView(ApiView):
    """The base of views for anonymous callers."""

    permission_classes = (AllowAny,)
    context_exempt = "It serves anonymous callers and does not use a session."

    def begin_in_browser(self, request: Request, transport: Transport) -> str:
        """Return the secret that ties a new login to this browser, or an empty string if it gets a token.

        Raises:
            CsrfFailed: the login is for a browser, and the CSRF token is missing or wrong.
        """
        if transport != Transport.COOKIE:
            return ""
        self.check_csrf(request)
        return browser_secret_or_new(request)

    def checked_browser_secret(self, request: Request) -> str:
        """Return the secret of this browser. A request with the cookie must have the CSRF token too."""
        secret = browser_secret_of(request)
        if secret:
            self.check_csrf(request)
        return secret


class CsrfView(AnonymousApiView):
    """``GET csrf/``: set the CSRF cookie and return the token."""

    answers = {"get": {200: CsrfShape}}

    def get(self, request: Request) -> Response:
        """Return the token to send as ``X-CSRFToken``."""
        return Response({"csrf_token": get_token(request._request)})


class LoginView(AnonymousApiView):
    """``POST login/``: begin a login with a password."""

    csrf_by_transport = True
    bodies = {"post": LoginBody}
    answers = {"post": {200: GrantedShape, 202: ChallengedShape}}

    def post(self, request: Request) -> Response:
        """Return 200 with the grant, or 202 with a challenge."""
        body = LoginBody.parse(request)
        transport = usable_transport(body.transport)
        secret = self.begin_in_browser(request, transport)
        outcome = journey.begin_login(
            identifier=body.identifier,
            password=body.password,
            transport=transport,
            client=client_of(request),
            browser_secret=secret,
        )
        return login_response(request, outcome, browser_secret=secret)


class LoginAnswerView(AnonymousApiView):
    """``POST login/answer/``: answer the challenge of a login."""

    csrf_by_transport = True
    bodies = {"post": AnswerBody}
    answers = {"post": {200: GrantedShape, 202: ChallengedShape}}

    def post(self, request: Request) -> Response:
        """Return 200 with the grant, or 202 with the next challenge."""
        body = AnswerBody.parse(request)
        secret = self.checked_browser_secret(request)
        outcome = journey.answer_login(
            token=body.token, answer=body.answer, caller=_caller(request, secret), client=client_of(request)
        )
        return login_response(request, outcome, browser_secret=secret)


class LoginChallengeView(AnonymousApiView):
    """``POST login/challenge/``: choose another factor, or request a new code."""

    csrf_by_transport = True
    bodies = {"post": ChallengeBody}
    answers = {"post": {202: ChallengedShape}}

    def post(self, request: Request) -> Response:
        """Return 202 with the challenge."""
        body = ChallengeBody.parse(request)
        secret = self.checked_browser_secret(request)
        outcome = journey.choose(
            token=body.token, choice=body.choice, caller=_caller(request, secret), client=client_of(request)
        )
        return login_response(request, outcome, browser_secret=secret)


class LogoutView(ApiView):
    """``POST logout/``: end this session."""

    bodies = {"post": NoBody}
    answers = {"post": {204: None}}
    context_exempt = "It ends only the session of the request."

    def post(self, request: Request) -> Response:
        """Return 204. The browser clears its cache and storage (ASVS 14.3.1)."""
        NoBody.parse(request)
        session = session_of(request)
        if session is not None:
            journey.end_login(user=request.user, session=session, client=client_of(request))
        response = Response(status=status.HTTP_204_NO_CONTENT, headers={"Clear-Site-Data": '"cache", "storage"'})
        if not authenticated_by_header(request):
            leave_session(request._request, request.user)
            end_unfinished_logins(request, response)
        return response


class MeView(ApiView):
    """``GET me/``: the signed-in person."""

    answers = {"get": {200: MeShape}}

    def get(self, request: Request) -> Response:
        """Return the profile and the assurance of this session."""
        return Response(me_body(request.user, session_of(request)))


def authenticated_by_header(request: Request) -> bool:
    """Return whether a header, not a cookie, authenticated *request*."""
    authenticator = request.successful_authenticator
    return authenticator is not None and getattr(authenticator, "reads_header", False)


def usable_transport(name: str) -> Transport:
    """Return the transport called *name*.

    Raises:
        InvalidRequest: the sessions of this site do not support it.
    """
    transport = Transport(name)
    if transport not in grant_issuer().transports:
        raise InvalidRequest(FieldError("transport", "unsupported", "This service does not support this transport."))
    return transport


def _caller(request: Request, browser_secret: str) -> Caller:
    session = session_of(request)
    return Caller(purposes=ANSWERED_HERE, browser_secret=browser_secret, session_id=session.id if session else None)
