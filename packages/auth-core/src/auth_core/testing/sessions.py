"""Sessions as a real login leaves them: granted by the site's own `GrantIssuer`, over `advance`."""

from collections.abc import Sequence
from typing import Any

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
from auth_core.request.client import client_of


class NotGranted(AssertionError):
    """The site asks for more than the evidence given: the session could not have been opened like this."""


def evidence_for(assurance: str) -> list[Evidence]:
    """Return what a person proves to reach *assurance*.

    A password; a password and TOTP; a password and a phishing-resistant, device-bound key.

    Raises:
        ValueError: there is no such level.
    """
    level = Assurance.from_acr(assurance)
    proved = [Evidence.now(Method.PASSWORD)]
    if level is Assurance.AAL2:
        proved.append(Evidence.now(Method.TOTP))
    elif level is Assurance.AAL3:
        proved.append(Evidence.now(Method.SECURITY_KEY, phishing_resistant=True, device_bound=True))
    elif level is Assurance.NONE:
        raise ValueError("Nobody is signed in with nothing.")
    return proved


def sign_in(
    user: Any,
    *,
    assurance: str = "aal1",
    evidence: Sequence[Evidence] | None = None,
    transport: Transport | str = Transport.COOKIE,
) -> Browser:
    """Return a caller whose session the site granted *user* for the evidence.

    By cookie it is a browser that asks for CSRF and has the token ready; by token it
    sends the credential in the header.

    Args:
        assurance: Which level it must reach: ``aal1``, ``aal2`` or ``aal3``.
        evidence: What was proved; left out: see `evidence_for`.

    Raises:
        NotGranted: a step of the site still asks for something, or its sessions know no such transport.
        ValueError: *evidence* does not reach *assurance*.
        AuthError: the site refuses the person, as it would at any login.
    """
    proved = evidence_for(assurance) if evidence is None else list(evidence)
    if (reached := assurance_of(proved)) < Assurance.from_acr(assurance):
        raise ValueError(f"The evidence reaches {reached.acr}, not {assurance}.")
    transport = Transport(transport)
    if transport not in grant_issuer().transports:
        raise NotGranted(f"The sessions of this site know no transport {transport.value!r}.")
    request = _request()
    login = PendingLogin.objects.open(
        user=user,
        backend=backend_knowing(user),
        purpose=Purpose.LOGIN,
        transport=transport,
        evidence=proved,
        browser_secret=new_browser_secret() if transport == Transport.COOKIE else "",
    )
    outcome = advance(login, client_of(request))
    if not isinstance(outcome, Granted):
        raise NotGranted(f"The login asks for {outcome.challenge.kind!r}; give evidence of it.")
    if transport == Transport.TOKEN:
        return Browser(enforce_csrf_checks=True, HTTP_AUTHORIZATION=f"Session {outcome.grant.credential}")
    return _browser_of(request, outcome.grant)


def _request() -> Any:
    """Return a request of a browser that nobody has signed in with yet."""
    request: Any = RequestFactory().post("/", HTTP_USER_AGENT="auth_core.testing")
    SessionMiddleware(_nothing).process_request(request)
    return request


def _browser_of(request: Any, grant: Grant) -> Browser:
    """Put the grant into a browser through the middleware that does it for every request."""
    enter_session(request, grant)
    browser = Browser(enforce_csrf_checks=True, HTTP_X_CSRFTOKEN=get_token(request))
    response = _nothing(request)
    CsrfViewMiddleware(_nothing).process_response(request, response)
    SessionMiddleware(_nothing).process_response(request, response)
    browser.cookies.update(response.cookies)
    return browser


def _nothing(request: Any) -> HttpResponse:
    return HttpResponse()
