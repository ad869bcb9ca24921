"""What the pages of the provider share."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, get_supported_language_variant
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from auth_core.errors import TooManyAttempts, Unavailable
from auth_core.oauth.authorization.parameters import text_of
from auth_core.oauth.errors import OAuthError
from auth_core.oauth.keys.key_set import KeysUnusable
from auth_core.pages.base import DATABASE_LOST, Page, note, tell

#: Most languages of one request that are looked at, and the longest name of one.
_MOST_LANGUAGES, _LONGEST_LANGUAGE = 20, 35


def refused(request: HttpRequest, problem: OAuthError) -> HttpResponse:
    """Return a page about an error that no client can be sent to. It repeats nothing of the request."""
    return note(
        request,
        title=_("This request cannot be completed"),
        lead=_("%(problem)s Go back to the application and try again.") % {"problem": problem},
        links=[(_("Go to your account"), "core-pages:account")],
        status=int(problem.status),
    )


class PageForClients(View):
    """A page that other sites send people to, by a link or a form. No cookie is needed to ask, so there is no CSRF token."""

    http_method_names = ("get", "post", "options")

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, for callers without a session and from other sites, outside of ``ATOMIC_REQUESTS``."""
        return transaction.non_atomic_requests(login_not_required(csrf_exempt(super().as_view(**initkwargs))))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Return the answer, or a page about what is wrong if there is no client to redirect to."""
        try:
            response = super().dispatch(request, *args, **kwargs)
        except OAuthError as problem:
            response = refused(request, problem)
        except TooManyAttempts as refusal:
            response = tell(request, refusal)
        except (*DATABASE_LOST, KeysUnusable):
            response = tell(request, Unavailable())
        return never_kept(response)


class PageOfHandle(Page):
    """The page of a stored request, which may be gone."""

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Return the answer, or a page if the request or its client is gone."""
        try:
            return super().answer(request, *args, **kwargs)
        except OAuthError as problem:
            return refused(request, problem)
        except TooManyAttempts as refusal:
            return tell(request, refusal)
        except KeysUnusable:
            return tell(request, Unavailable())


def never_kept(response: HttpResponseBase) -> HttpResponseBase:
    """Return *response* with the headers that forbid caching. Codes pass through it."""
    response.headers["Cache-Control"] = "no-store"
    patch_vary_headers(response, ("Cookie",))
    return response


def language_of(parameters: Mapping[str, Any]) -> str | None:
    """Return the first language of ``ui_locales`` that the site offers, or the current one."""
    for name in text_of(parameters, "ui_locales").split()[:_MOST_LANGUAGES]:
        try:
            return get_supported_language_variant(name[:_LONGEST_LANGUAGE].lower())
        except LookupError:
            continue
    return get_language()
