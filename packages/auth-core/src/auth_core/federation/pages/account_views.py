"""The pages on which people see, connect and disconnect their accounts at providers."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import session_of
from auth_core.contracts import Purpose
from auth_core.errors import AuthError, InsufficientUserAuthentication
from auth_core.federation.connections.changes import check_recent_proof, disconnect_own
from auth_core.federation.connections.rows import connections_of, ways_of
from auth_core.federation.pages.buttons import shown_providers
from auth_core.federation.pages.callback_views import leave_for, refusal_page
from auth_core.federation.providers.configuration import name_of
from auth_core.pages.base import AccountPage, proof_address, see_other, show
from auth_core.pages.forms import PageForm
from auth_core.request.client import client_of


class ConnectionsPage(AccountPage):
    """``/account/connections/``."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """List the connections, and the providers that may be connected."""
        ways = set(ways_of(request.user))
        rows = [
            {"connection": row, "name": name_of(row.provider), "is_usable": row.pk in ways}
            for row in connections_of(request.user)
        ]
        context = {"rows": rows, "providers": shown_providers(request)}
        return show(request, "auth_federation/connections.html", context)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Redirect to the list. This page has no form of its own."""
        return see_other("federation:connections")


class ConnectPage(AccountPage):
    """``POST /account/connections/{provider}/connect/``."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Redirect to the list. A link must not connect anything."""
        return see_other("federation:connections")

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Send the person to the provider, after a recent proof."""
        session = session_of(request)
        try:
            check_recent_proof(user=request.user, session=session)
            own = "" if session is None else str(session.id)
            return leave_for(request, self.kwargs["slug"], purpose=Purpose.LINK, session=own)
        except InsufficientUserAuthentication as refusal:
            return see_other(proof_address(request, refusal))
        except AuthError as refusal:
            return refusal_page(request, refusal)


class DisconnectPage(AccountPage):
    """``/account/connections/{id}/disconnect/``."""

    title, button = _("Disconnect this account?"), _("Disconnect")
    lead = _("It can no longer sign in here. Sessions that it has opened stay open until you end them.")
    links = [(_("Back"), "federation:connections")]

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Ask for confirmation, and name the provider."""
        row = next((row for row in connections_of(request.user) if row.pk == self._id), None)
        if row is None:
            raise Http404
        lead = f"{name_of(row.provider)}. {self.lead}"
        return super().show(request, form, status=status, lead=lead, is_danger=True, **context)

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Disconnect it."""
        person: Any = request.user
        session, client = session_of(request), client_of(request)
        if not disconnect_own(user=person, session=session, connection_id=self._id, client=client):
            raise Http404
        messages.success(request, _("The account was disconnected."), fail_silently=True)
        return see_other("federation:connections")

    def refuse(self, request: HttpRequest, form: PageForm, refusal: AuthError) -> HttpResponseBase:
        """Redirect to the page of a fresh proof, and back. Show other errors in the form."""
        if isinstance(refusal, InsufficientUserAuthentication):
            return see_other(proof_address(request, refusal))
        return super().refuse(request, form, refusal)

    @property
    def _id(self) -> UUID:
        connection_id: UUID = self.kwargs["connection_id"]
        return connection_id
