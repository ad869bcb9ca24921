"""The views that add authenticator apps, phones, mailboxes and recovery codes. Each needs a fresh proof."""

from typing import Any
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.bodies import NoBody
from auth_core.api.views import ApiView, or_not_found
from auth_core.assurance.evidence import session_of
from auth_core.request.client import client_of
from auth_mfa.api.answers import BegunShape, FactorShape, RecoveryCodesShape, SheetShape, TotpShape
from auth_mfa.api.bodies import CodeBody, NamedBody, PhoneBody
from auth_mfa.api.views import factor_body
from auth_mfa.codes import code_in
from auth_mfa.factors import check_fresh_proof
from auth_mfa.messages import enrolment as message_enrolment
from auth_mfa.messages.enrolment import Begun
from auth_mfa.models import Factor
from auth_mfa.recovery.code_sets import issue_sheet, sheet_of
from auth_mfa.recovery.recovery_codes import FEW
from auth_mfa.totp import enrolment as totp_enrolment


class EnrolmentView(ApiView):
    """The base of views that add a factor, which needs a fresh proof (ASVS 7.5.1)."""

    counts_changes = True

    def check_proof(self, request: Request) -> None:
        """Require a fresh proof.

        Raises:
            InsufficientUserAuthentication: the proof is too weak or too old.
        """
        check_fresh_proof(user=request.user, session=session_of(request))


class ConfirmView(EnrolmentView):
    """The base of views that confirm a begun factor with a code."""

    bodies = {"post": CodeBody}
    answers = {"post": {200: FactorShape}}

    def post(self, request: Request, factor_id: UUID) -> Response:
        """Return the factor."""
        code = _code_of(request)
        self.check_proof(request)
        client = client_of(request)
        factor = self.confirm(user=request.user, factor_id=factor_id, code=code, client=client)
        return Response(factor_body(factor))

    def confirm(self, **answer: Any) -> Factor:
        """Confirm the factor. *answer* has the user, the id of the factor, the code and the client."""
        raise NotImplementedError


class TotpView(EnrolmentView):
    """``POST mfa/totp/``: begin to add an authenticator app."""

    bodies = {"post": NamedBody}
    answers = {"post": {201: TotpShape}}

    def post(self, request: Request) -> Response:
        """Return 201 with the key."""
        body = NamedBody.parse(request)
        self.check_proof(request)
        begun = totp_enrolment.begin_totp(user=request.user, name=body.name or "")
        key = {"id": str(begun.factor.pk), "secret": begun.secret, "uri": begun.uri, "qr_svg": begun.qr_svg}
        return self.created(key, below=f"{begun.factor.pk}/confirm/")


class TotpConfirmView(ConfirmView):
    """``POST mfa/totp/{id}/confirm/``: confirm that the app has the key."""

    def confirm(self, **answer: Any) -> Factor:
        """Confirm the app."""
        return totp_enrolment.confirm_totp(**answer)


class PhoneView(EnrolmentView):
    """``POST mfa/sms/``: send a code to a phone number to add it as a second factor."""

    bodies = {"post": PhoneBody}
    answers = {"post": {201: BegunShape}}

    def post(self, request: Request) -> Response:
        """Return 201 with a hint of where the code was sent."""
        body = PhoneBody.parse(request)
        self.check_proof(request)
        begun = message_enrolment.begin_phone(
            user=request.user, number=body.number, name=body.name or "", client=client_of(request)
        )
        return self.created(_begun_body(begun), below=f"{begun.factor.pk}/confirm/")


class EmailView(EnrolmentView):
    """``POST mfa/email/``: send a code to the caller's address to add it as a second factor."""

    bodies = {"post": NamedBody}
    answers = {"post": {201: BegunShape}}

    def post(self, request: Request) -> Response:
        """Return 201 with a hint of where the code was sent."""
        body = NamedBody.parse(request)
        self.check_proof(request)
        begun = message_enrolment.begin_email(user=request.user, name=body.name or "", client=client_of(request))
        return self.created(_begun_body(begun), below=f"{begun.factor.pk}/confirm/")


class MessageConfirmView(ConfirmView):
    """``POST mfa/sms/{id}/confirm/`` and ``mfa/email/{id}/confirm/``: confirm with the code that was sent."""

    def confirm(self, **answer: Any) -> Factor:
        """Confirm the phone or mailbox."""
        return message_enrolment.confirm(**answer)


class ResendView(EnrolmentView):
    """``POST mfa/sms/{id}/resend/`` and ``mfa/email/{id}/resend/``: send the same code again."""

    bodies = {"post": NoBody}
    answers = {"post": {202: BegunShape}}

    def post(self, request: Request, factor_id: UUID) -> Response:
        """Return 202 with a hint of where the code was sent."""
        NoBody.parse(request)
        self.check_proof(request)
        begun = message_enrolment.resend(user=request.user, factor_id=factor_id, client=client_of(request))
        return Response(_begun_body(begun), status=status.HTTP_202_ACCEPTED)


class RecoveryCodesView(EnrolmentView):
    """``mfa/recovery-codes/``: count the codes that are left, or make a new sheet."""

    bodies = {"post": NoBody}
    answers = {"get": {200: SheetShape}, "post": {201: RecoveryCodesShape}}

    def get(self, request: Request) -> Response:
        """Return how many codes are left and whether that is few, but never a code."""
        sheet = or_not_found(sheet_of(request.user))
        body = {"id": str(sheet.pk), "left": sheet.left, "is_running_out": sheet.left <= FEW}
        return Response(body | {"created_at": sheet.created_at})

    def post(self, request: Request) -> Response:
        """Return 201 with ten codes, shown only once. Earlier codes stop working."""
        NoBody.parse(request)
        self.check_proof(request)
        sheet = issue_sheet(user=request.user, client=client_of(request), session=session_of(request))
        body = {"id": str(sheet.factor.pk), "codes": list(sheet.codes), "created_at": sheet.factor.created_at}
        return self.created(body)


def _code_of(request: Request) -> str:
    return code_in({"code": CodeBody.parse(request).code}, field="")


def _begun_body(begun: Begun) -> dict[str, Any]:
    return {
        "id": str(begun.factor.pk),
        "method": begun.factor.method.value,
        "to": begun.factor.hint,
        "is_sent": begun.sending.is_sent,
        "expires_at": begun.sending.expires_at,
    }
