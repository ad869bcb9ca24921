"""``/oauth/logout``: a client asks to sign a person out.

The person confirms each logout on a page of ours, also if the client has an ID token of this very session, because no link
ends a session. A browser without a session goes on at once. A POST of another site brings no cookie, so it leads to the page
of its handle, as at the authorization endpoint.

Source: OpenID Connect RP-Initiated Logout 1.0.
"""

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import session_of
from auth_core.login import journey
from auth_core.login.browser import end_unfinished_logins, leave_session
from auth_core.oauth.authorization.parameters import LOGOUT, read_parameters
from auth_core.oauth.authorization.responses import leave
from auth_core.oauth.authorization.stored_requests import find_request, store_request
from auth_core.oauth.logout.requests import LogoutRequest, read_logout
from auth_core.oauth.models.authorization_request import Kind
from auth_core.oauth.pages.base import PageForClients, PageOfHandle, language_of
from auth_core.pages.base import see_other
from auth_core.pages.forms import PageForm
from auth_core.request.client import client_of


class OAuthLogoutPage(PageForClients):
    """``GET`` and ``POST /oauth/logout``."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Store the request, and lead to the page that asks the person. Without a session there is nothing to ask."""
        parameters = read_parameters(request, LOGOUT)
        logout = read_logout(parameters)
        if not request.user.is_authenticated:
            return signed_out(request, logout, is_redirect=True)
        return see_other(_stored(request, parameters, logout))

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Store the request, and lead to the page of its handle."""
        parameters = read_parameters(request, LOGOUT)
        return see_other(_stored(request, parameters, read_logout(parameters)))


class ConfirmLogoutPage(PageOfHandle):
    """``/oauth/logout/{handle}/``: a stored request, and the question whether to sign out."""

    title, button = _("Sign out?"), _("Sign out")
    links = [(_("Stay signed in"), "core-pages:account")]

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the question. Without a session there is nothing to ask."""
        parameters = self._parameters()
        logout = read_logout(parameters)
        if not request.user.is_authenticated:
            return signed_out(request, logout, is_redirect=True)
        with translation.override(language_of(parameters)):
            return self.show(request, self.form_class(), lead=_lead(logout))

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Sign out, as the person confirmed."""
        parameters = self._parameters()
        with translation.override(language_of(parameters)):
            return sign_out(request, read_logout(parameters))

    def _parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = find_request(self.kwargs["handle"], kind=Kind.LOGOUT).parameters
        return parameters


def sign_out(request: HttpRequest, logout: LogoutRequest) -> HttpResponseBase:
    """End the session of *request*, and send the person on. Its cache and storage are cleared (ASVS 14.3.1)."""
    session = session_of(request)
    if request.user.is_authenticated:
        if session is not None:
            journey.end_login(user=request.user, session=session, client=client_of(request))
        leave_session(request, request.user)
    response = signed_out(request, logout, is_redirect=False)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    end_unfinished_logins(request, response)
    return response


def signed_out(request: HttpRequest, logout: LogoutRequest, *, is_redirect: bool) -> HttpResponseBase:
    """Return the way back to the client, or the page that says that the person is signed out."""
    if not logout.address or logout.application is None:
        return see_other("core-pages:logged-out")
    return leave(request, logout.address, name=logout.application.name, is_redirect=is_redirect)


def _stored(request: HttpRequest, parameters: dict[str, Any], logout: LogoutRequest) -> str:
    """Store a request, and return the address of its page."""
    _row, handle = store_request(
        kind=Kind.LOGOUT,
        application_pk=None if logout.application is None else logout.application.pk,
        parameters=parameters,
        client=client_of(request),
    )
    return reverse("oauth:logout-confirm", args=[handle])


def _lead(logout: LogoutRequest) -> Any:
    if logout.application is None or not logout.application.name:
        return _("Your session in this browser ends.")
    return _("%(name)s asks to sign you out. Your session in this browser ends.") % {"name": logout.application.name}
