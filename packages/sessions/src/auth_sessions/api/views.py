"""Views of sessions."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.administration import Act, check_administrator
from auth_core.api.answers import page_of
from auth_core.api.bodies import NoBody, NoFilters
from auth_core.api.pagination import page_response
from auth_core.api.views import ApiView, or_not_found
from auth_core.assurance.evidence import session_of
from auth_core.errors import NotFound
from auth_sessions import devices, lifecycle
from auth_sessions.api.answers import RiskShape, SessionShape, session_answer
from auth_sessions.models import Device, Session
from auth_sessions.risk import demand_of, explain


class SessionListView(ApiView):
    """``GET sessions/``: list my sessions."""

    answers = {"get": {200: page_of(SessionShape)}}

    def get(self, request: Request) -> Response:
        """Return one page of the caller's live sessions, newest first."""
        NoFilters.parse_query(request)
        return page_of_sessions(request, Session.objects.of(request.user).live())


class SessionView(ApiView):
    """``GET`` and ``DELETE sessions/{id}/``: show or end one of my sessions."""

    counts_changes = True
    answers = {"get": {200: SessionShape}, "delete": {204: None}}

    def get(self, request: Request, session_id: UUID) -> Response:
        """Return the session. Another user's session is not found."""
        session = or_not_found(Session.objects.of(request.user).live().filter(pk=session_id).first())
        device = devices.own_device(user=request.user, device_id=session.device_id)
        return Response(session_answer(session, current=current_id(request), device=device))

    def delete(self, request: Request, session_id: UUID) -> Response:
        """End the session."""
        if not lifecycle.end_session(session_id=session_id, user=request.user, reason="revoked"):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


class RiskView(ApiView):
    """``GET sessions/{id}/risk/``: the risk score of the login that opened the session, with reasons."""

    answers = {"get": {200: RiskShape}}

    def get(self, request: Request, session_id: UUID) -> Response:
        """Return it to the owner and to users who may view all sessions. For others it is not found."""
        may_view_all = request.user.has_perm("auth_sessions.view_session")
        rows = Session.objects.all() if may_view_all else Session.objects.of(request.user)
        session = or_not_found(rows.filter(pk=session_id).exclude(user=None).first())
        if session.user_id != request.user.pk:
            check_administrator(session_of(request), Act.READ)
        score = session.risk_score
        return Response(
            {
                "score": score,
                "demand": None if score is None else demand_of(score).value,
                "reasons": explain(session.risk_reasons),
            }
        )


class RevokeOthersView(ApiView):
    """``POST sessions/revoke-others/``: sign out everywhere else."""

    counts_changes = True
    bodies = {"post": NoBody}
    answers = {"post": {204: None}}

    def post(self, request: Request) -> Response:
        """End all sessions except this one."""
        NoBody.parse(request)
        lifecycle.end_other_sessions(user=request.user, keep=current_id(request), reason="revoked")
        return Response(status=status.HTTP_204_NO_CONTENT)


def page_of_sessions(
    request: Request, rows: "QuerySet[Session]", show: Callable[..., dict[str, Any]] = session_answer
) -> Response:
    """Return one page of *rows*, newest first, with their devices. Two queries."""
    opened_in: dict[UUID, Device] = {}
    current = current_id(request)

    def gather(page: Sequence[Session]) -> None:
        opened_in.update(devices.devices_of(page))

    def answer(session: Session) -> dict[str, Any]:
        return show(session, current=current, device=opened_in.get(session.device_id) if session.device_id else None)

    return page_response(request, rows, answer, gather=gather)


def current_id(request: Request) -> UUID | None:
    """Return the public id of the session of this request."""
    session = session_of(request)
    return session.id if session else None
