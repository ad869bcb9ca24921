"""Other origins that the forms of one page may lead to, in the Content-Security-Policy of that page.

The policy of a site allows forms to the site alone, and Chromium applies it to the redirects after a form as well.
"""

from collections.abc import Iterable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auth_core.conf import site_policy
from auth_core.memo import Memo

#: On a request: the origins.
_TARGETS: Memo[list[str]] = Memo("auth_core.form_targets")

_DIRECTIVE = "form-action"


def allow_form_targets(request: HttpRequest, origins: Iterable[str]) -> None:
    """Let the forms of the page that answers *request* lead to *origins*."""
    _TARGETS.keep(request, [*(_TARGETS.of(request) or []), *origins])


def apply_form_targets(request: HttpRequest, response: HttpResponseBase) -> None:
    """Add the origins to the policy of *response*. A site without a policy needs none.

    Both attributes are those that the decorators of Django 6 and of django-csp set.
    """
    origins = _TARGETS.of(request)
    if not origins:
        return
    policy = site_policy()
    response._csp_update = {_DIRECTIVE: origins}  # type: ignore[attr-defined]  # noqa: SLF001 - read by django-csp
    if policy:
        named = [*policy.get(_DIRECTIVE, ["'self'"]), *origins]
        response._csp_config = {**policy, _DIRECTIVE: named}  # type: ignore[attr-defined]  # noqa: SLF001 - read by Django
