"""The middleware that asks administrators for a recent proof before they use an admin site (ASVS 8.4.2)."""

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
    """Middleware that requires the proof that `ADMINISTRATION` demands. It follows the authentication middleware.

    It guards every page below an admin site, also pages that a site adds. A page may
    require a fresher proof with `auth_core.administration.check_administrator`. A
    `ModelAdmin` may set ``changes_are = Act.CRITICAL``.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Call the next layer. `process_view` does the check."""
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], *arguments: Any
    ) -> HttpResponseBase | None:
        """Redirect to the proof if it is missing. The site itself refuses people without access to it."""
        if not is_administration(request) or not request.user.is_authenticated or not _has_site_access(view, request):
            return None
        try:
            check_administrator(session_of(request), _act_of(request, view))
            if request.method not in _SAFE:
                check_context(session_of(request))
        except AuthError as refusal:
            return _redirect_to_proof(request, refusal)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Redirect to the proof if a page requires a fresher one. The transaction of the view was rolled back."""
        if is_administration(request) and isinstance(exception, InsufficientUserAuthentication):
            return _redirect_to_proof(request, exception)
        return None


def _has_site_access(view: Callable[..., HttpResponseBase], request: HttpRequest) -> bool:
    """Return whether the user may use the site of *view*. A view whose site is unknown is guarded too."""
    site = getattr(view, "admin_site", None) or getattr(model_admin_of(view), "admin_site", None)
    return site is None or bool(site.has_permission(request))


def _act_of(request: HttpRequest, view: Callable[..., HttpResponseBase]) -> Act:
    """Return the kind of act. Changes to Django's users, groups and permissions are critical."""
    if request.method in _SAFE:
        return Act.READ
    model_admin = model_admin_of(view)
    if model_admin is not None and model_admin.opts.app_label == "auth":
        return Act.CRITICAL
    act: Act = getattr(model_admin, "changes_are", Act.CHANGE)
    return act


def _redirect_to_proof(request: HttpRequest, refusal: AuthError) -> HttpResponseBase:
    """Redirect to the proof, or first to the enrolment. A posted form is not repeated automatically."""
    if not isinstance(refusal, InsufficientUserAuthentication):
        return tell(request, refusal)
    proof, enrolment = proof_address(request, refusal), None
    if not can_prove(request.user, Assurance.from_acr(refusal.required_assurance)):
        enrolment = next(enrolment_pages.values(), None)
    if request.method not in _SAFE:
        response: HttpResponseBase = _not_saved_page(request, enrolment or proof)
    else:
        if enrolment is not None:
            messages.warning(request, ENROL_FIRST, fail_silently=True)
        response = see_other(enrolment or proof)
    response.headers["Cache-Control"] = "no-store"
    return response


def _not_saved_page(request: HttpRequest, next_page: str) -> HttpResponseBase:
    return note(
        request,
        title=_("Confirm it's you"),
        lead=_(
            "Your changes were not saved. Confirm it's you to continue. You will then return to the page you came"
            " from, where you can make your changes again."
        ),
        links=[(_("Continue"), next_page)],
        status=int(InsufficientUserAuthentication.status),
    )
