"""The views of this package, and the base of everybody's."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.db import transaction
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
from auth_core.api.parsers import JsonBodyParser
from auth_core.api.responses import login_response, me_body
from auth_core.api.serializers import AnswerBody, Body, ChallengeBody, LoginBody, NoBody
from auth_core.api.shapes import ChallengedShape, CsrfShape, GrantedShape, MeShape
from auth_core.assurance.evidence import check_context, session_of
from auth_core.conf import core
from auth_core.contracts import Purpose, Transport
from auth_core.errors import FieldError, InvalidRequest, MethodNotAllowed, NotAuthenticated
from auth_core.login import journey
from auth_core.login.browser import browser_secret_of, end_unfinished_logins, leave_session, new_browser_secret
from auth_core.login.plugins import grant_issuer
from auth_core.models.pending_login import Caller
from auth_core.request.client import client_of

#: What ``login/answer/`` goes on with; recovery and linking have addresses of their own.
ANSWERED_HERE = frozenset({Purpose.LOGIN, Purpose.STEP_UP})


class ApiView(APIView):
    """The base of every view: our credentials, our bodies, our errors, whatever the host's DRF settings say.

    Never inside ``ATOMIC_REQUESTS``: DRF would roll back every refusal there, and a
    wrong guess would be free.
    """

    permission_classes: Sequence[type[BasePermission]] = (IsAuthenticated,)
    parser_classes = (JsonBodyParser,)
    renderer_classes: Sequence[type[BaseRenderer]] = (JSONRenderer,)
    throttle_classes = ()
    versioning_class = None

    #: The body of each method, and the shapes of its answers by status; for the schema.
    bodies: ClassVar[Mapping[str, type[Body]]] = {}
    answers: ClassVar[Mapping[str, Mapping[int, type[Any] | None]]] = {}

    #: The filters of a list, and whether it is one.
    filters: ClassVar[type[Body] | None] = None

    #: Why a change here may come from a session that is used elsewhere than where it was proved; empty: it may not.
    context_exempt: ClassVar[str] = ""

    #: Whether changes here count to the budget `change` of who makes them: what people change of their own.
    counts_changes = False

    #: Whether `post` itself asks for the CSRF token, once the body has told the transport.
    csrf_by_transport = False

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, outside any transaction of the request."""
        return transaction.non_atomic_requests(super().as_view(**initkwargs))

    def get_authenticators(self) -> list[BaseAuthentication]:
        """Return the authenticators that settings name, in their order."""
        return [import_string(path)() for path in core.AUTHENTICATION_CLASSES]

    def get_exception_handler(self) -> Callable[..., Response | None]:
        """Return the one handler that writes problem documents."""
        return problems.handle

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate and authorise; then see that nobody else's browser asks, and no session used elsewhere changes."""
        super().initial(request, *args, **kwargs)
        self.refuse_unread_header(request)
        if not self.csrf_by_transport:
            self.check_csrf(request)
        if request.method not in SAFE_METHODS and not self.context_exempt:
            check_context(session_of(request))
            if self.counts_changes:
                limits.charge("change", person=str(request.user.pk), client=client_of(request))

    def refuse_unread_header(self, request: Request) -> None:
        """Refuse a credential in the header that no authenticator took: it never falls through to the cookie.

        Raises:
            NotAuthenticated: there is such a header.
        """
        if "HTTP_AUTHORIZATION" in request.META and not authenticated_by_header(request):
            raise NotAuthenticated

    def check_csrf(self, request: Request) -> None:
        """Ask for the CSRF token where a browser's cookies could act, for anonymous callers too.

        DRF asks only those who are signed in; an anonymous form could then sign a
        victim in as the attacker (login CSRF; ASVS 3.5.1).

        Raises:
            CsrfFailed: the token is missing or wrong, or the request comes from elsewhere.
        """
        if authenticated_by_header(request):
            return
        check = CSRFCheck(lambda _request: Response())
        check.process_request(request._request)
        if reason := check.process_view(request._request, self.dispatch, (), {}):
            raise problems.csrf_failed(str(reason))

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Refuse the method, and say which are allowed."""
        raise MethodNotAllowed(allowed=self.allowed_methods)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep every answer out of caches: it is one person's (ASVS 14.3.2)."""
        final = super().finalize_response(request, response, *args, **kwargs)
        final.headers["Cache-Control"] = "no-store"
        patch_vary_headers(final, ("Cookie", "Authorization"))
        return final


class AnonymousApiView(ApiView):
    """The base of views that anybody may call."""

    permission_classes = (AllowAny,)
    context_exempt = "It answers anonymous callers, and nothing that it does rests on a session."


class CsrfView(AnonymousApiView):
    """``GET csrf/``: set the CSRF cookie, and say the token."""

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
        """Return 200 with the grant, or 202 with the question."""
        body = LoginBody.parse(request)
        transport = usable_transport(body.transport)
        secret = ""
        if transport == Transport.COOKIE:
            self.check_csrf(request)
            secret = browser_secret_of(request) or new_browser_secret()
        outcome = journey.begin_login(
            identifier=body.identifier,
            password=body.password,
            transport=transport,
            client=client_of(request),
            browser_secret=secret,
        )
        return login_response(request, outcome, browser_secret=secret)


class LoginAnswerView(AnonymousApiView):
    """``POST login/answer/``: answer what the login asked."""

    csrf_by_transport = True
    bodies = {"post": AnswerBody}
    answers = {"post": {200: GrantedShape, 202: ChallengedShape}}

    def post(self, request: Request) -> Response:
        """Return 200 with the grant, or 202 with the next question."""
        body = AnswerBody.parse(request)
        secret = _checked_browser_secret(self, request)
        outcome = journey.answer_login(
            token=body.token, answer=body.answer, caller=_caller(request, secret), client=client_of(request)
        )
        return login_response(request, outcome, browser_secret=secret)


class LoginChallengeView(AnonymousApiView):
    """``POST login/challenge/``: choose another factor, or have the code sent again."""

    csrf_by_transport = True
    bodies = {"post": ChallengeBody}
    answers = {"post": {202: ChallengedShape}}

    def post(self, request: Request) -> Response:
        """Return 202 with the question."""
        body = ChallengeBody.parse(request)
        secret = _checked_browser_secret(self, request)
        outcome = journey.choose(
            token=body.token, choice=body.choice, caller=_caller(request, secret), client=client_of(request)
        )
        return login_response(request, outcome, browser_secret=secret)


class LogoutView(ApiView):
    """``POST logout/``: end this session."""

    bodies = {"post": NoBody}
    answers = {"post": {204: None}}
    context_exempt = "It ends the session that asks, and no other."

    def post(self, request: Request) -> Response:
        """Return 204; the browser forgets what it kept of us (ASVS 14.3.1)."""
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
    """``GET me/``: who am I?"""

    answers = {"get": {200: MeShape}}

    def get(self, request: Request) -> Response:
        """Return the person and the assurance of this session."""
        return Response(me_body(request.user, session_of(request)))


def authenticated_by_header(request: Request) -> bool:
    """Say whether a credential in the header, not a cookie, says who this is."""
    taken = request.successful_authenticator
    return taken is not None and getattr(taken, "reads_header", False)


def usable_transport(name: str) -> Transport:
    """Return the transport that a caller wants.

    Raises:
        InvalidRequest: the sessions of this site know no such transport.
    """
    transport = Transport(name)
    if transport not in grant_issuer().transports:
        raise InvalidRequest(FieldError("transport", "unsupported", "This service opens no such sessions."))
    return transport


def _checked_browser_secret(view: ApiView, request: Request) -> str:
    """Return this browser's secret; whoever sends the cookie must send the CSRF token, too."""
    secret = browser_secret_of(request)
    if secret:
        view.check_csrf(request)
    return secret


def _caller(request: Request, browser_secret: str) -> Caller:
    session = session_of(request)
    return Caller(purposes=ANSWERED_HERE, browser_secret=browser_secret, session_id=session.id if session else None)
