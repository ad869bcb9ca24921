"""The view of a risk assessment."""

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.administration import Act, check_administrator
from auth_core.api.views import ApiView, found
from auth_core.assurance.evidence import session_of
from auth_sessions.api.answers import RiskShape
from auth_sessions.models import Session
from auth_sessions.risk import demand_of, explain


class RiskView(ApiView):
    """``GET sessions/{id}/risk/``: the risk score of the login that opened the session, with reasons."""

    answers = {"get": {200: RiskShape}}

    def get(self, request: Request, session_id: UUID) -> Response:
        """Return it to the owner and to users who may view all sessions. For others it is not found."""
        may_view_all = request.user.has_perm("auth_sessions.view_session")
        rows = Session.objects.all() if may_view_all else Session.objects.of(request.user)
        session = found(rows.filter(pk=session_id).exclude(user=None).first())
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
