"""What the pages of the provider share."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, get_supported_language_variant
from django.utils.translation import gettext_lazy as _

from auth_core.oauth.authorization.parameters import text_of
from auth_core.oauth.errors import OAuthError
from auth_core.pages.base import note

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
