"""The decorator of views that a token opens."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import wraps
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from auth_core.oauth_resource.access.admission import admit, admit_async
from auth_core.oauth_resource.access.needs import Needs, refuse_offline_access
from auth_core.oauth_resource.access.sender import nonce_headers
from auth_core.oauth_resource.answers import error_answer
from auth_core.oauth_resource.errors import OAuthError
from auth_core.oauth_resource.tokens.access_token import VerifiedToken

View = Callable[..., Any]


def require_token(
    *, scopes: Sequence[str] = (), acr: str = "", max_age: timedelta | None = None, dpop: bool = False
) -> Callable[[View], View]:
    """Open a view to access tokens alone. ``request.user`` is its person, and ``request.token`` the token.

    The view may be a coroutine. A session of the browser opens nothing here, so there is no CSRF.

    Args:
        scopes: The token must have all of them. Empty: any token for this resource server opens the view.
        acr: The least value of `acr` (RFC 9470). Empty: any.
        max_age: How long ago the person was authenticated at most.
        dpop: Whether the token must be bound to a key (RFC 9449). `REQUIRE_DPOP` says it for all views.

    Raises:
        ValueError: *scopes* has ``offline_access``, which no view needs.
    """
    if isinstance(scopes, str):
        raise TypeError("scopes is a list, such as scopes=['notes:read'].")
    refuse_offline_access(scopes)
    needs = Needs(scopes=tuple(scopes), acr=acr, max_age=max_age, dpop=dpop)

    def decorate(view: View) -> View:
        return csrf_exempt(_guarded_async(view, needs) if iscoroutinefunction(view) else _guarded(view, needs))

    return decorate


def _guarded(view: Callable[..., HttpResponseBase], needs: Needs) -> Callable[..., HttpResponseBase]:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            _keep(request, *admit(request, needs))
        except OAuthError as problem:
            return error_answer(problem)
        return with_nonce(request, view(request, *args, **kwargs))

    return guarded


def _guarded_async(
    view: Callable[..., Awaitable[HttpResponseBase]], needs: Needs
) -> Callable[..., Awaitable[HttpResponseBase]]:
    @wraps(view)
    async def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            _keep(request, *await admit_async(request, needs))
        except OAuthError as problem:
            return error_answer(problem)
        return with_nonce(request, await view(request, *args, **kwargs))

    return guarded


def with_nonce(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return *response* with the nonce for the next proof, if *request* had a proof."""
    for name, value in nonce_headers(request).items():
        response.headers[name] = value
    return response


def _keep(request: Any, user: Any, token: VerifiedToken) -> None:
    async def auser() -> Any:
        return user

    request.user, request.auser, request.token = user, auser, token
