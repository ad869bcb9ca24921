"""Answers of the OAuth endpoints, and their addresses."""

from collections.abc import Callable
from functools import partial, wraps

from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.views.decorators.csrf import csrf_exempt

from auth_core import errors
from auth_core.oauth.conf import oauth
from auth_core.oauth.errors import OAuthError, Unavailable
from auth_core.oauth.keys.key_set import KeysUnusable
from auth_core.oauth_resource.answers import error_answer, json_answer, json_text, public_answer

__all__ = ["address_of", "answered", "endpoint", "error_answer", "json_answer", "json_text", "public_answer"]

View = Callable[[HttpRequest], HttpResponseBase]


def answered(view: View, request: HttpRequest) -> HttpResponseBase:
    """Return the answer of *view*, with its expected errors as answers."""
    try:
        return view(request)
    except OAuthError as problem:
        return error_answer(problem)
    except (OperationalError, InterfaceError, KeysUnusable, errors.Unavailable):
        return error_answer(Unavailable())


def endpoint(*methods: str) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Make a view an endpoint for *methods*, which clients call with credentials of their own.

    No cookie authenticates there, so there is no CSRF. It is outside of ``ATOMIC_REQUESTS``: a rollback would give a spent code
    back. A lost database is a 503, never a refusal.
    """

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def guarded(request: HttpRequest, **of_route: str) -> HttpResponseBase:
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            return answered(partial(view, **of_route), request)

        return transaction.non_atomic_requests(csrf_exempt(guarded))

    return decorate


def address_of(name: str, *arguments: str) -> str:
    """Return the address of the route *name* below the issuer. Empty if the site does not route it.

    The Host header decides nothing in it.

    Args:
        arguments: The variable parts of the route.
    """
    try:
        path = reverse(f"oauth:{name}", args=arguments)
    except NoReverseMatch:
        return ""
    return f"{oauth.issuer}/{path.removeprefix(get_script_prefix())}"
