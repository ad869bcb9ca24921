"""Views in which administrators find and end sessions."""

from typing import cast
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.answers import page_of
from auth_core.api.views import ApiView, or_not_found
from auth_core.errors import NotFound
from auth_core.users import UserLike
from auth_sessions import devices, lifecycle
from auth_sessions.api.answers import FoundSessionShape, found_answer
from auth_sessions.api.bodies import SessionFilters
from auth_sessions.api.permissions import MaySearchSessions
from auth_sessions.api.views import current_id, page_of_sessions
from auth_sessions.models import Session


class SessionSearchView(ApiView):
    """``GET users/sessions/``: search the sessions of all users."""

    permission_classes = (MaySearchSessions,)
    filters = SessionFilters
    answers = {"get": {200: page_of(FoundSessionShape)}}

    def get(self, request: Request) -> Response:
        """Return one page of sessions, newest first, including ended ones that are still kept."""
        filters = SessionFilters.parse_query(request)
        return page_of_sessions(request, found_sessions(filters), found_answer)


class FoundSessionView(ApiView):
    """``users/sessions/{id}/``: show or end a session of any user."""

    permission_classes = (MaySearchSessions,)
    answers = {"get": {200: FoundSessionShape}, "delete": {204: None}}

    def get(self, request: Request, session_id: UUID) -> Response:
        """Return the session."""
        session = _session(session_id)
        device = devices.devices_of([session]).get(session.device_id) if session.device_id else None
        return Response(found_answer(session, current=current_id(request), device=device))

    def delete(self, request: Request, session_id: UUID) -> Response:
        """End the session. The administrator is recorded."""
        session = _session(session_id)
        ended = lifecycle.end_session(
            session_id=session.pk, user=cast("UserLike", session.user), reason="administrator", actor=request.user
        )
        if not ended:
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


def found_sessions(filters: SessionFilters) -> "QuerySet[Session]":
    """Return the sessions that match *filters*, each with its user."""
    rows = Session.objects.filter(user__isnull=False).select_related("user__auth_identity")
    if filters.subject is not None:
        rows = rows.filter(user__auth_identity__subject_id=filters.subject)
    if filters.device is not None:
        rows = rows.filter(device_id=filters.device)
    if filters.network is not None:
        rows = rows.filter(network=filters.network)
    if filters.risk_min is not None:
        rows = rows.filter(risk_score__gte=filters.risk_min)
    if filters.live is not None:
        is_live = Exists(Session.objects.live().filter(pk=OuterRef("pk")))
        rows = rows.filter(is_live if filters.live else ~is_live)
    return rows


def _session(session_id: UUID) -> Session:
    return or_not_found(
        Session.objects.select_related("user__auth_identity").filter(pk=session_id, user__isnull=False).first()
    )
