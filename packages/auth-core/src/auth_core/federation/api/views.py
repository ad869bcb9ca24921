"""Views of the connections of a person. A connection is made on the pages, because a browser must visit the provider."""

from typing import Any
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.answers import page_of
from auth_core.api.bodies import NoFilters
from auth_core.api.pagination import page_response
from auth_core.api.views import ApiView, or_not_found
from auth_core.assurance.evidence import session_of
from auth_core.errors import NotFound
from auth_core.federation.api.answers import ConnectionShape, connection_answer
from auth_core.federation.connections.changes import disconnect_own
from auth_core.federation.models import Connection
from auth_core.request.client import client_of


class ConnectionListView(ApiView):
    """``GET me/connections/``: list my accounts at providers."""

    answers = {"get": {200: page_of(ConnectionShape)}}

    def get(self, request: Request) -> Response:
        """Return one page, newest first."""
        NoFilters.parse_query(request)
        return page_response(request, Connection.objects.filter(user=request.user.pk), connection_answer)


class ConnectionView(ApiView):
    """``GET`` and ``DELETE me/connections/{id}/``: show or disconnect one."""

    counts_changes = True
    answers = {"get": {200: ConnectionShape}, "delete": {204: None}}

    def get(self, request: Request, connection_id: UUID) -> Response:
        """Return it."""
        row = Connection.objects.filter(pk=connection_id, user=request.user.pk).first()
        return Response(connection_answer(or_not_found(row)))

    def delete(self, request: Request, connection_id: UUID) -> Response:
        """Return 204. Needs a fresh proof, and refuses to remove the last way to sign in."""
        person: Any = request.user
        session, client = session_of(request), client_of(request)
        if not disconnect_own(user=person, session=session, connection_id=connection_id, client=client):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)
