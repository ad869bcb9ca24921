"""Views for sign-up, email verification and invitations."""

from typing import Any
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.answers import DoneShape, InvitationShape, page_of
from auth_core.api.bodies import EmailBody, EmailVerifyBody, NewPasswordBody, NoFilters, SignupBody
from auth_core.api.pagination import page_response
from auth_core.api.permissions import MayInvite
from auth_core.api.views import AnonymousApiView, ApiView, or_not_found
from auth_core.conf import core
from auth_core.flows import email_verification, invitations, signup
from auth_core.login.browser import browser_secret_of, browser_secret_or_new, keep_browser_secret
from auth_core.models import EmailVerification, Invitation
from auth_core.request.client import client_of


class SignupView(AnonymousApiView):
    """``POST signup/``: request an account."""

    bodies = {"post": SignupBody}
    answers = {"post": {202: DoneShape}}

    def post(self, request: Request) -> Response:
        """Return 202, the same for known and unknown addresses. The mail says what happened."""
        body = SignupBody.parse(request)
        secret = browser_secret_or_new(request)
        signup.request_signup(
            email=body.email, password=body.password, client=client_of(request), browser_secret=secret
        )
        response = Response({"status": "confirmation_sent"}, status=status.HTTP_202_ACCEPTED)
        keep_browser_secret(response, secret, lifetime=core.SIGNUP_LIFETIME)
        return response


class EmailVerifyView(AnonymousApiView):
    """``POST email/verify/``: verify an address with the token of a link or a code."""

    bodies = {"post": EmailVerifyBody}
    answers = {"post": {200: DoneShape}}

    def post(self, request: Request) -> Response:
        """Return 200. The person must still sign in."""
        body = EmailVerifyBody.parse(request)
        client, secret = client_of(request), browser_secret_of(request)
        if body.token is None:
            # Without a token, `EmailVerifyBody` requires both.
            email, code = body.email or "", body.code or ""
            signup.confirm_signup_by_code(email=email, code=code, client=client, browser_secret=secret)
        elif body.token.startswith(EmailVerification.prefix):
            email_verification.verify_email(token=body.token, client=client)
        else:
            signup.confirm_signup(token=body.token, client=client, browser_secret=secret, password=body.password or "")
        return Response({"status": "verified"})


class EmailResendView(AnonymousApiView):
    """``POST email/resend/``: send the confirmation mail again."""

    bodies = {"post": EmailBody}
    answers = {"post": {202: DoneShape}}

    def post(self, request: Request) -> Response:
        """Return 202. The response is the same for known and unknown addresses."""
        body = EmailBody.parse(request)
        email_verification.resend_confirmation(
            email=body.email, client=client_of(request), browser_secret=browser_secret_of(request)
        )
        return Response({"status": "confirmation_sent"}, status=status.HTTP_202_ACCEPTED)


class InvitationsView(ApiView):
    """``invitations/``: list the open invitations, or invite a person."""

    permission_classes = (MayInvite,)
    bodies = {"post": EmailBody}
    answers = {"get": {200: page_of(InvitationShape)}, "post": {201: InvitationShape}}

    def get(self, request: Request) -> Response:
        """Return a page of valid invitations, newest first."""
        NoFilters.parse_query(request)
        return page_response(request, Invitation.objects.live(), _invitation_body)

    def post(self, request: Request) -> Response:
        """Return 201, also when the address already has an account."""
        body = EmailBody.parse(request)
        invitation = invitations.invite(email=body.email, actor=request.user, client=client_of(request))
        return self.created(_invitation_body(invitation), below=f"{invitation.pk}/")


class InvitationView(ApiView):
    """``invitations/{id}/``: show or withdraw one invitation."""

    permission_classes = (MayInvite,)
    answers = {"get": {200: InvitationShape}, "delete": {204: None}}

    def get(self, request: Request, invitation_id: UUID) -> Response:
        """Return the invitation while it is valid."""
        return Response(_invitation_body(_live_invitation(invitation_id)))

    def delete(self, request: Request, invitation_id: UUID) -> Response:
        """Return 204. The link is no longer valid."""
        invitation = _live_invitation(invitation_id)
        invitations.withdraw_invitation(invitation=invitation, actor=request.user, client=client_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class InvitationAcceptView(AnonymousApiView):
    """``POST invitations/accept/``: create the account of an invitation."""

    bodies = {"post": NewPasswordBody}
    answers = {"post": {200: DoneShape}}

    def post(self, request: Request) -> Response:
        """Return 200. The person must still sign in."""
        body = NewPasswordBody.parse(request)
        invitations.accept_invitation(token=body.token, password=body.password, client=client_of(request))
        return Response({"status": "verified"})


def _live_invitation(invitation_id: UUID) -> Invitation:
    invitation: Invitation = or_not_found(Invitation.objects.live().filter(pk=invitation_id).first())
    return invitation


def _invitation_body(invitation: Invitation) -> dict[str, Any]:
    return {
        "id": str(invitation.pk),
        "email": invitation.address,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
    }
