"""Sessions as a real login creates them, through `advance` and the `GrantIssuer` of the site."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.test import Client as Browser
from django.test import RequestFactory

from auth_core.assurance.levels import Assurance, assurance_of
from auth_core.assurance.methods import Evidence, Method
from auth_core.backends import backend_knowing
from auth_core.contracts import Grant, Granted, Purpose, Transport
from auth_core.login.browser import enter_session, new_browser_secret
from auth_core.login.journey import advance
from auth_core.login.plugins import grant_issuer
from auth_core.models import PendingLogin
from auth_core.people.lookup import identity_of
from auth_core.request.client import client_of
from auth_core.users import UserLike

if TYPE_CHECKING:
    from django.http import HttpRequest


class NotGranted(AssertionError):
    """The site requires more than the given evidence, so a real login would not grant this session."""


def evidence_for(assurance: str) -> list[Evidence]:
    """Return the evidence for *assurance*.

    For aal1 it is a password, for aal2 a password and TOTP, for aal3 a password and a
    phishing-resistant, device-bound key.

    Raises:
        ValueError: the level does not exist or is empty.
    """
    level = Assurance.from_acr(assurance)
    evidence = [Evidence.now(Method.PASSWORD)]
    if level is Assurance.AAL2:
        evidence.append(Evidence.now(Method.TOTP))
    elif level is Assurance.AAL3:
        evidence.append(Evidence.now(Method.SECURITY_KEY, phishing_resistant=True, device_bound=True))
    elif level is Assurance.NONE:
        raise ValueError("A session needs some evidence.")
    return evidence


def begin(
    user: UserLike,
    *,
    evidence: Sequence[Evidence] | None = None,
    transport: Transport | str = Transport.TOKEN,
    application_id: UUID | None = None,
    actor: UserLike | None = None,
) -> PendingLogin:
    """Begin a login of *user* without a request, and return it. No step of the site is asked yet.

    Args:
        evidence: What the login has proved. Defaults to a password.
        transport: The token transport needs no browser. With cookies the login belongs to a new one.
        application_id: Public id of the application that the login is for.
        actor: The person who signs in as *user*, such as an administrator who helps them.
    """
    transport = Transport(transport)
    return PendingLogin.objects.open(
        user=user,
        backend=backend_knowing(user),
        purpose=Purpose.LOGIN,
        transport=transport,
        evidence=evidence_for("aal1") if evidence is None else list(evidence),
        browser_secret=new_browser_secret() if transport == Transport.COOKIE else "",
        application_id=application_id,
        actor_id=None if actor is None else identity_of(actor).subject_id,
    )


def sign_in(
    user: UserLike,
    *,
    assurance: str = "aal1",
    evidence: Sequence[Evidence] | None = None,
    transport: Transport | str = Transport.COOKIE,
    application_id: UUID | None = None,
    actor: UserLike | None = None,
) -> Browser:
    """Return a browser with a session that the site granted *user* for the evidence.

    With the cookie transport the browser checks CSRF and has the token. With the token
    transport it sends the credential in the header.

    Args:
        assurance: The level that the evidence must reach: ``aal1``, ``aal2`` or ``aal3``.
        evidence: The evidence of the login. Defaults to that of `evidence_for`.
        application_id: Public id of the application that the session is for.
        actor: The person who acts in the session in place of *user*.

    Raises:
        NotGranted: a step of the site is still pending, or the site does not support the transport.
        ValueError: *evidence* does not reach *assurance*.
        AuthError: the site refuses the person, as in any login.
    """
    proved = evidence_for(assurance) if evidence is None else list(evidence)
    if (reached := assurance_of(proved)) < Assurance.from_acr(assurance):
        raise ValueError(f"The evidence reaches {reached.acr}, not {assurance}.")
    transport = Transport(transport)
    if transport not in grant_issuer().transports:
        raise NotGranted(f"The sessions of this site do not support the transport {transport.value!r}.")
    request = _request()
    login = begin(user, evidence=proved, transport=transport, application_id=application_id, actor=actor)
    outcome = advance(login, client_of(request))
    if not isinstance(outcome, Granted):
        raise NotGranted(f"The login requires {outcome.challenge.kind!r}. Pass evidence for it.")
    if transport == Transport.TOKEN:
        return Browser(enforce_csrf_checks=True, HTTP_AUTHORIZATION=f"Session {outcome.grant.credential}")
    return _browser_of(request, outcome.grant)


def _request() -> Any:
    """Return a request of a new browser."""
    request: Any = RequestFactory().post("/", HTTP_USER_AGENT="auth_core.testing")
    SessionMiddleware(_empty_response).process_request(request)
    return request


def _browser_of(request: "HttpRequest", grant: Grant) -> Browser:
    """Store the grant in a browser with the middleware of a real request."""
    enter_session(request, grant)
    browser = Browser(enforce_csrf_checks=True, HTTP_X_CSRFTOKEN=get_token(request))
    response = _empty_response(request)
    CsrfViewMiddleware(_empty_response).process_response(request, response)
    SessionMiddleware(_empty_response).process_response(request, response)
    browser.cookies.update(response.cookies)
    return browser


def _empty_response(request: "HttpRequest") -> HttpResponse:
    return HttpResponse()
