"""Responses of a login. This is the only module of the API where a login meets requests and responses."""

from typing import Any

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.assurance.evidence import SessionFacts
from auth_core.conf import core
from auth_core.contracts import Challenge, Challenged, Granted, LoginOutcome, Transport
from auth_core.login.browser import (
    announce_login,
    enter_session,
    forget_browser_secret,
    keep_browser_secret,
    keep_device,
)
from auth_core.people.lookup import profile_of
from auth_core.users import UserLike


def login_response(request: Request, outcome: LoginOutcome, *, browser_secret: str = "") -> Response:
    """Return the response of a login: 202 with a challenge, or 200 with a grant.

    A cookie grant goes into the browser's session. The credential of a token grant
    is in the body. It is sent only here, and only once.
    """
    if isinstance(outcome, Challenged):
        return _challenged(outcome, browser_secret)
    grant = outcome.grant
    by_token = grant.session.transport == Transport.TOKEN
    if by_token:
        announce_login(request._request, grant)
    else:
        enter_session(request._request, grant)
    response = Response(granted_body(outcome) | ({"credential": grant.credential} if by_token else {}))
    if not by_token:
        keep_device(response, grant)
    forget_browser_secret(request, response)
    return response


def granted_body(outcome: Granted) -> dict[str, Any]:
    """Return the ``granted`` body without the credential."""
    grant = outcome.grant
    return {"status": "granted", "user": me_body(grant.user, grant.session), "session": session_body(grant.session)}


def me_body(user: UserLike, session: SessionFacts | None) -> dict[str, Any]:
    """Return the ``me`` body of DESIGN section 6."""
    return profile_of(user) | {
        "acr": session.acr if session else "",
        "application": session.application if session else None,
        "actor": session.actor if session else None,
    }


def session_body(session: SessionFacts) -> dict[str, Any]:
    """Return the body that describes a new session to its owner."""
    return {
        "id": str(session.id),
        "acr": session.acr,
        "amr": session.amr,
        "auth_time": session.authenticated_at,
        "idle_expires_at": session.idle_expires_at,
        "expires_at": session.expires_at,
        "application": session.application,
        "actor": session.actor,
    }


def challenge_body(challenge: Challenge) -> dict[str, Any]:
    """Return the body of a challenge."""
    return {
        "kind": challenge.kind,
        "method": challenge.method,
        "choice": challenge.choice,
        "data": dict(challenge.data),
    }


def _challenged(outcome: Challenged, browser_secret: str) -> Response:
    body = {
        "status": "challenged",
        "token": outcome.token,
        "expires_at": outcome.expires_at,
        "attempts_left": outcome.attempts_left,
        "challenge": challenge_body(outcome.challenge),
        "choices": [
            {"id": choice.id, "method": choice.method, "label": choice.label} for choice in outcome.challenge.choices
        ],
    }
    response = Response(body, status=status.HTTP_202_ACCEPTED)
    if browser_secret:
        keep_browser_secret(response, browser_secret, lifetime=core.PENDING_LOGIN_LIFETIME)
    return response
