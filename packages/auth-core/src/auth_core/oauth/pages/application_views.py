"""The pages on which people see what they gave to applications, and take it back."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from auth_core.oauth.authorization.consent import sentence_of
from auth_core.oauth.clients.authorization_details import sentences_of
from auth_core.oauth.grants.people import Given, applications_of, given_to, revoke_application
from auth_core.pages.base import AccountPage, see_other, show
from auth_core.pages.forms import PageForm
from auth_core.request.client import client_of

#: Maximum number of applications on the page. The API lists all.
_SHOWN = 50


class ApplicationsPage(AccountPage):
    """``/account/applications/``."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """List the applications, the newest first."""
        policies = list(applications_of(request.user).order_by("-pk")[:_SHOWN])
        accesses = given_to(request.user, policies).values()
        rows = [{"given": access, "sentences": _sentences(access)} for access in accesses]
        context = {"rows": rows, "shown": _SHOWN, "is_cut": len(policies) == _SHOWN}
        return show(request, "auth_oauth/applications.html", context)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Redirect to the list. This page has no form."""
        return see_other("oauth:applications")


class RevokeApplicationPage(AccountPage):
    """``/account/applications/{id}/revoke/``."""

    title, button = _("Remove access?"), _("Remove access")
    lead = _("The application is signed out, and asks again the next time you use it.")
    links = [(_("Back"), "oauth:applications")]

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Ask for confirmation, and name the application."""
        policy = applications_of(request.user).filter(pk=self._id).first()
        if policy is None:
            raise Http404
        name = given_to(request.user, [policy])[self._id].name
        return super().show(request, form, status=status, lead=f"{name}. {self.lead}", is_danger=True, **context)

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Take back what the person gave."""
        if not revoke_application(user=request.user, application_id=self._id, client=client_of(request)):
            raise Http404
        messages.success(request, _("The access was removed."), fail_silently=True)
        return see_other("oauth:applications")

    @property
    def _id(self) -> UUID:
        application_id: UUID = self.kwargs["application_id"]
        return application_id


def _sentences(access: Given) -> list[str]:
    return [*(sentence_of(name, ()) for name in access.scopes), *sentences_of(access.authorization_details)]
