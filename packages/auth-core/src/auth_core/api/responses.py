"""What a login becomes over HTTP; the only place where one touches requests and responses."""

import re
from datetime import timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY, update_session_auth_hash
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import rotate_token
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.conf import core
from auth_core.contracts import Challenge, Challenged, Grant, Granted, LoginOutcome, Transport
from auth_core.django_session import new_store
from auth_core.evidence import SessionFacts
from auth_core.one_time import new_secret, same
from auth_core.people import profile_of

#: What a browser's secret looks like; anything else in the cookie is thrown away.
_BROWSER_SECRET = re.compile(r"elb_[A-Za-z0-9_-]{43}", re.ASCII)


def login_response(request: Request, outcome: LoginOutcome, *, browser_secret: str = "") -> Response:
    """Answer a login: 202 with the question, or 200 with the grant.

    A cookie grant goes into the browser's session; a token grant's credential stands in
    the body, only here and only once.
    """
    if isinstance(outcome, Challenged):
        return _challenged(outcome, browser_secret)
    grant = outcome.grant
    by_token = grant.session.transport == Transport.TOKEN
    if by_token:
        user_logged_in.send(sender=type(grant.user), request=request._request, user=grant.user)
    else:
        enter_session(request._request, grant)
    response = Response(granted_body(outcome) | ({"credential": grant.credential} if by_token else {}))
    if core.LOGIN_COOKIE in request.COOKIES:
        response.delete_cookie(core.LOGIN_COOKIE, path="/", samesite="Lax")
    return response


def enter_session(request: HttpRequest, grant: Grant) -> None:
    """Put *grant* into this browser: another session key (fixation), another CSRF token, Django's signal."""
    old, request.session = request.session, new_store(grant.credential)
    kept = {} if SESSION_KEY in old else dict(old.items())
    if old.session_key and not same(old.session_key, grant.credential):
        old.flush()
    if kept:
        request.session.update(kept)
    request.session.modified = True
    request.user = grant.user
    rotate_token(request)
    user_logged_in.send(sender=type(grant.user), request=request, user=grant.user)


def leave_session(request: HttpRequest, user: Any) -> None:
    """Take the session out of this browser; its row has ended already."""
    user_logged_out.send(sender=type(user), request=request, user=user)
    request.session.flush()
    rotate_token(request)


def keep_django_session(request: HttpRequest, user: Any) -> None:
    """Let this browser's session outlive a new password; a store that has rows of its own has seen to it already."""
    if not hasattr(request.session, "facts") and SESSION_KEY in request.session:
        update_session_auth_hash(request, user)


def browser_secret_of(request: Request) -> str:
    """Return what this browser's ``login`` cookie holds, or nothing."""
    secret = request.COOKIES.get(core.LOGIN_COOKIE, "")
    return secret if _BROWSER_SECRET.fullmatch(secret) else ""


def new_browser_secret() -> str:
    """Return a secret that ties a pending login to one browser."""
    return new_secret("elb")


def keep_browser_secret(response: HttpResponseBase, secret: str, *, lifetime: timedelta) -> None:
    """Have the browser keep what ties a login or a sign-up to it."""
    response.set_cookie(
        core.LOGIN_COOKIE,
        secret,
        max_age=lifetime,
        secure=core.LOGIN_COOKIE.startswith("__Host-"),
        httponly=True,
        samesite="Lax",
    )


def granted_body(outcome: Granted) -> dict[str, Any]:
    """Return the ``granted`` shape, without the credential."""
    grant = outcome.grant
    return {"status": "granted", "user": me_body(grant.user, grant.session), "session": session_body(grant.session)}


def me_body(user: Any, session: SessionFacts | None) -> dict[str, Any]:
    """Return the ``me`` shape of DESIGN section 6."""
    return profile_of(user) | {"acr": session.acr if session else ""}


def session_body(session: SessionFacts) -> dict[str, Any]:
    """Return what a person sees of their session at login."""
    return {
        "id": str(session.id),
        "acr": session.acr,
        "amr": session.amr,
        "auth_time": session.authenticated_at,
        "idle_expires_at": session.idle_expires_at,
        "expires_at": session.expires_at,
    }


def challenge_body(challenge: Challenge) -> dict[str, Any]:
    """Return the question as it stands in an answer."""
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
