"""The views of passkeys and security keys."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.answers import ChallengedShape, GrantedShape
from auth_core.api.bodies import NoBody
from auth_core.api.responses import login_response
from auth_core.api.views import AnonymousApiView, ApiView, usable_transport
from auth_core.assurance.evidence import SessionFacts, session_of
from auth_core.conf import core
from auth_core.errors import NotAuthenticated
from auth_core.login.browser import keep_browser_secret
from auth_core.request.client import client_of
from auth_mfa.api.answers import FactorShape, PasskeyLoginShape, RegistrationShape
from auth_mfa.api.bodies import PasskeyAnswerBody, PasskeyLoginBody, RegistrationBody
from auth_mfa.api.views import factor_body
from auth_mfa.factors import check_fresh_proof
from auth_mfa.webauthn import passkeys


class PasskeyView(ApiView):
    """``POST mfa/passkeys/``: begin to add a passkey or a security key."""

    counts_changes = True
    bodies = {"post": NoBody}
    answers = {"post": {200: RegistrationShape}}

    def post(self, request: Request) -> Response:
        """Return 200 with the options for the browser. This needs a fresh proof."""
        NoBody.parse(request)
        session = _proved_session(request)
        begun = passkeys.begin_registration(user=request.user, occasion=session.id)
        return Response({"id": str(begun.id), "options": begun.options})


class PasskeyConfirmView(ApiView):
    """``POST mfa/passkeys/{id}/confirm/``: add the credential that the authenticator made."""

    counts_changes = True
    bodies = {"post": RegistrationBody}
    answers = {"post": {201: FactorShape}}

    def post(self, request: Request, registration_id: UUID) -> Response:
        """Return 201 with the factor. Only the session that began the registration may confirm it."""
        body = RegistrationBody.parse(request)
        session = _proved_session(request)
        factor = passkeys.confirm_registration(
            user=request.user,
            registration_id=registration_id,
            occasion=session.id,
            credential=body.credential,
            name=body.name or "",
            client=client_of(request),
        )
        return self.created(factor_body(factor), below=f"../../../factors/{factor.pk}/")


class PasskeyLoginView(AnonymousApiView):
    """``POST mfa/passkeys/login/``: begin a login in which the passkey names the user."""

    csrf_by_transport = True
    bodies = {"post": PasskeyLoginBody}
    answers = {"post": {200: PasskeyLoginShape}}

    def post(self, request: Request) -> Response:
        """Return 200 with the options for the browser."""
        body = PasskeyLoginBody.parse(request)
        transport = usable_transport(body.transport)
        secret = self.begin_in_browser(request, transport)
        begun = passkeys.begin_login(transport=transport, client=client_of(request), browser_secret=secret)
        response = Response(login_body(begun))
        if secret:
            keep_browser_secret(response, secret, lifetime=core.PENDING_LOGIN_LIFETIME)
        return response


class PasskeyAnswerView(AnonymousApiView):
    """``POST mfa/passkeys/login/answer/``: sign in with the assertion of a passkey."""

    csrf_by_transport = True
    bodies = {"post": PasskeyAnswerBody}
    answers = {"post": {200: GrantedShape, 202: ChallengedShape}}

    def post(self, request: Request) -> Response:
        """Return 200 with the grant, or 202 with the next challenge."""
        body = PasskeyAnswerBody.parse(request)
        secret = self.checked_browser_secret(request)
        outcome = passkeys.answer_login(
            token=body.token, credential=body.credential, client=client_of(request), browser_secret=secret
        )
        return login_response(request, outcome, browser_secret=secret)


def login_body(begun: passkeys.BegunLogin) -> dict[str, Any]:
    """Return the ``PasskeyLogin`` shape."""
    return {"token": begun.token, "expires_at": begun.expires_at, "options": begun.options}


def _proved_session(request: Request) -> SessionFacts:
    """Return the session of the caller, if its proof is fresh.

    Raises:
        NotAuthenticated, InsufficientUserAuthentication: see `check_fresh_proof`.
    """
    session = session_of(request)
    if session is None:
        raise NotAuthenticated
    check_fresh_proof(user=request.user, session=session)
    return session
