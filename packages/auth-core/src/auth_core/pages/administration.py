"""Administrators in front of an admin site: led to the proof that they owe, and back (ASVS 8.4.2)."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from auth_core.administration import ENROL_FIRST, Act, can_prove, check_administrator, is_administration, model_admin_of
from auth_core.assurance.evidence import check_context, session_of
from auth_core.assurance.levels import Assurance
from auth_core.errors import AuthError, InsufficientUserAuthentication
from auth_core.pages.base import note, proof_address, see_other, tell
from auth_core.registries import enrolment_pages

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class AdministrationMiddleware:
    """Asks whoever comes to an admin site for what `ADMINISTRATION` demands; stands after authentication.

    All that lies below the site is meant, also a page that somebody adds and forgets to guard.
    A page may ask for a fresher proof with `auth_core.administration.check_administrator`, and a
    `ModelAdmin` may say ``changes_are = Act.CRITICAL``.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Hand on; what is asked is asked when the view is known."""
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *arguments: Any) -> HttpResponseBase | None:
        """Let in whoever has proved enough; whoever may not come in at all is the site's to turn away."""
        if not is_administration(request) or not request.user.is_authenticated or not _lets_in(view, request):
            return None
        try:
            check_administrator(session_of(request), _act_of(request, view))
            if request.method not in _SAFE:
                check_context(session_of(request))
        except AuthError as refusal:
            return _led(request, refusal)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Lead to the proof whoever a page asked for a fresher one; what it had begun is undone."""
        if is_administration(request) and isinstance(exception, InsufficientUserAuthentication):
            return _led(request, exception)
        return None


def _lets_in(view: Any, request: HttpRequest) -> bool:
    """Say whether the site lets them in; a page of which nobody knows the site is guarded all the same."""
    site = getattr(view, "admin_site", None) or getattr(model_admin_of(view), "admin_site", None)
    return site is None or bool(site.has_permission(request))


def _act_of(request: HttpRequest, view: Any) -> Act:
    """Return what the request does; groups, permissions and users of Django's own say who may do what."""
    if request.method in _SAFE:
        return Act.READ
    model_admin = model_admin_of(view)
    if model_admin is not None and model_admin.opts.app_label == "auth":
        return Act.CRITICAL
    act: Act = getattr(model_admin, "changes_are", Act.CHANGE)
    return act


def _led(request: HttpRequest, refusal: AuthError) -> HttpResponseBase:
    """Lead to where the proof is given, or first to where it is enrolled; a form is never sent again by us."""
    if not isinstance(refusal, InsufficientUserAuthentication):
        return tell(request, refusal)
    again, page = proof_address(request, refusal), None
    if not can_prove(request.user, Assurance.from_acr(refusal.required_assurance)):
        page = next(enrolment_pages.values(), None)
    if request.method not in _SAFE:
        response: HttpResponseBase = _not_done(request, page or again)
    else:
        if page is not None:
            messages.warning(request, ENROL_FIRST, fail_silently=True)
        response = see_other(page or again)
    response.headers["Cache-Control"] = "no-store"
    return response


def _not_done(request: HttpRequest, onward: str) -> HttpResponseBase:
    return note(
        request,
        title=_("Prove that it is you"),
        lead=_(
            "Nothing was changed. What you sent needs a fresh proof that it is you: give it, and you come back to the"
            " page from which you sent it. Do it again there; what you had filled in is not kept."
        ),
        links=[(_("Go on"), onward)],
        status=int(InsufficientUserAuthentication.status),
    )
