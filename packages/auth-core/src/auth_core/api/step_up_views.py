"""Reauthentication over the API. Answers go to ``login/answer/``."""

from datetime import timedelta

from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.answers import ChallengedShape
from auth_core.api.bodies import ReauthenticateBody
from auth_core.api.responses import login_response
from auth_core.api.views import ApiView
from auth_core.assurance.evidence import session_of
from auth_core.assurance.levels import STEP_UP_DEMANDS
from auth_core.contracts import Transport
from auth_core.errors import NotAuthenticated
from auth_core.login.browser import backend_of, browser_secret_or_new
from auth_core.login.step_up import begin_step_up
from auth_core.request.client import client_of


class ReauthenticateView(ApiView):
    """``POST reauthenticate/``: raise or renew the assurance of the session."""

    bodies = {"post": ReauthenticateBody}
    answers = {"post": {202: ChallengedShape}}
    context_exempt = "It begins the proof that a changed context requires."

    def post(self, request: Request) -> Response:
        """Return 202 with the challenge."""
        body = ReauthenticateBody.parse(request)
        session = session_of(request)
        if session is None:
            raise NotAuthenticated
        by_cookie = session.transport == Transport.COOKIE
        secret = browser_secret_or_new(request) if by_cookie else ""
        outcome = begin_step_up(
            user=request.user,
            session=session,
            demand=STEP_UP_DEMANDS[body.required_assurance],
            max_age=None if body.max_age is None else timedelta(seconds=body.max_age),
            backend=backend_of(request),
            client=client_of(request),
            browser_secret=secret,
        )
        return login_response(request, outcome, browser_secret=secret)
