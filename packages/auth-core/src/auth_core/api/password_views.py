"""Views that reset and change passwords."""

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.answers import DoneShape
from auth_core.api.bodies import EmailBody, NewPasswordBody, PasswordChangeBody
from auth_core.api.views import AnonymousApiView, ApiView
from auth_core.assurance.evidence import session_of
from auth_core.flows import password_reset
from auth_core.flows.password_change import change_password
from auth_core.login.browser import keep_django_session
from auth_core.request.client import client_of


class PasswordForgotView(AnonymousApiView):
    """``POST password/forgot/``: request a link that resets the password."""

    bodies = {"post": EmailBody}
    answers = {"post": {202: DoneShape}}

    def post(self, request: Request) -> Response:
        """Return 202. The response is the same for known and unknown addresses."""
        body = EmailBody.parse(request)
        password_reset.request_reset(email=body.email, client=client_of(request))
        return Response({"status": "link_sent"}, status=status.HTTP_202_ACCEPTED)


class PasswordResetView(AnonymousApiView):
    """``POST password/reset/``: set a new password with the token of a reset link."""

    bodies = {"post": NewPasswordBody}
    answers = {"post": {200: DoneShape}}

    def post(self, request: Request) -> Response:
        """Return 200. The person must still sign in."""
        body = NewPasswordBody.parse(request)
        password_reset.reset_password(token=body.token, password=body.password, client=client_of(request))
        return Response({"status": "reset"})


class PasswordChangeView(ApiView):
    """``POST password/change/``: set a new password with the current one."""

    counts_changes = True
    bodies = {"post": PasswordChangeBody}
    answers = {"post": {204: None}}

    def post(self, request: Request) -> Response:
        """Return 204. All other sessions have ended."""
        body = PasswordChangeBody.parse(request)
        person = change_password(
            user=request.user,
            current_password=body.current_password,
            new_password=body.new_password,
            session=session_of(request),
            client=client_of(request),
        )
        keep_django_session(request._request, person)
        return Response(status=status.HTTP_204_NO_CONTENT)
