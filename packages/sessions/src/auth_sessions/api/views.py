"""The views of sessions."""

from typing import Any
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.pagination import page_response
from auth_core.api.serializers import NoBody, NoFilters
from auth_core.api.shapes import page_of
from auth_core.api.views import ApiView
from auth_core.errors import NotFound
from auth_core.evidence import session_of
from auth_sessions import lifecycle
from auth_sessions.api.shapes import SessionShape
from auth_sessions.models import Session


class SessionListView(ApiView):
    """``GET sessions/``: where am I signed in?"""

    answers = {"get": {200: page_of(SessionShape)}}

    def get(self, request: Request) -> Response:
        """Return one page of the caller's live sessions, newest first."""
        NoFilters.parse_query(request)
        current = _current_id(request)
        return page_response(
            request, Session.objects.of(request.user).live(), lambda session: session_body(session, current)
        )


class SessionView(ApiView):
    """``GET`` and ``DELETE sessions/{id}/``: one of my sessions."""

    answers = {"get": {200: SessionShape}, "delete": {204: None}}

    def get(self, request: Request, session_id: UUID) -> Response:
        """Return it; somebody else's is not found."""
        session = Session.objects.of(request.user).live().filter(pk=session_id).first()
        if session is None:
            raise NotFound
        return Response(session_body(session, _current_id(request)))

    def delete(self, request: Request, session_id: UUID) -> Response:
        """End it."""
        if not lifecycle.end_session(session_id=session_id, user=request.user, reason="revoked"):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


class RevokeOthersView(ApiView):
    """``POST sessions/revoke-others/``: sign out everywhere else."""

    bodies = {"post": NoBody}
    answers = {"post": {204: None}}

    def post(self, request: Request) -> Response:
        """End all sessions but this one."""
        NoBody.parse(request)
        lifecycle.end_other_sessions(user=request.user, keep=_current_id(request), reason="revoked")
        return Response(status=status.HTTP_204_NO_CONTENT)


def session_body(session: Session, current: UUID | None) -> dict[str, Any]:
    """Return what a person sees of a session."""
    facts = session.facts
    return {
        "id": str(session.pk),
        "current": session.pk == current,
        "transport": session.transport,
        "acr": facts.acr,
        "amr": facts.amr,
        "auth_time": facts.authenticated_at,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "idle_expires_at": facts.idle_expires_at,
        "expires_at": facts.expires_at,
        "ip": session.ip,
        "user_agent": session.user_agent,
    }


def _current_id(request: Request) -> UUID | None:
    session = session_of(request)
    return session.id if session else None
