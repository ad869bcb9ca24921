"""The views of second factors."""

from typing import Any
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.pagination import page_response
from auth_core.api.serializers import NoFilters
from auth_core.api.shapes import page_of
from auth_core.api.views import ApiView
from auth_core.client import client_of
from auth_core.errors import NotFound
from auth_core.evidence import session_of
from auth_core.methods import Method
from auth_mfa import enrolment
from auth_mfa.api.serializers import CodeBody, NameBody, TotpBody
from auth_mfa.api.shapes import FactorShape, TotpShape
from auth_mfa.factors import check_fresh_proof, factor_of, remove_factor, rename_factor
from auth_mfa.login import code_in
from auth_mfa.models import TotpFactor


class FactorListView(ApiView):
    """``GET mfa/factors/``: what proves me besides a password?"""

    answers = {"get": {200: page_of(FactorShape)}}

    def get(self, request: Request) -> Response:
        """Return one page of the caller's factors, newest first."""
        NoFilters.parse_query(request)
        return page_response(request, TotpFactor.objects.of(request.user), factor_body)


class FactorView(ApiView):
    """``mfa/factors/{id}/``: one of my factors; call it something else, remove it."""

    bodies = {"patch": NameBody}
    answers = {"get": {200: FactorShape}, "patch": {200: FactorShape}, "delete": {204: None}}

    def get(self, request: Request, factor_id: UUID) -> Response:
        """Return it; somebody else's is not found."""
        return Response(factor_body(_own(request, factor_id)))

    def patch(self, request: Request, factor_id: UUID) -> Response:
        """Return it under its new name."""
        body = NameBody.parse(request)
        factor = _own(request, factor_id)
        rename_factor(factor=factor, name=body.name)
        return Response(factor_body(factor))

    def delete(self, request: Request, factor_id: UUID) -> Response:
        """Return 204; it needs a fresh proof."""
        factor = _own(request, factor_id)
        check_fresh_proof(user=request.user, session=session_of(request))
        if not remove_factor(factor=factor):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


class TotpView(ApiView):
    """``POST mfa/totp/``: begin an authenticator app."""

    bodies = {"post": TotpBody}
    answers = {"post": {201: TotpShape}}

    def post(self, request: Request) -> Response:
        """Return 201 with the key; it needs a fresh proof."""
        body = TotpBody.parse(request)
        check_fresh_proof(user=request.user, session=session_of(request))
        begun = enrolment.begin_totp(user=request.user, name=body.name or "")
        location = request.build_absolute_uri(f"{request.path}{begun.factor.pk}/confirm/")
        shown = {"id": str(begun.factor.pk), "secret": begun.secret, "uri": begun.uri, "qr_svg": begun.qr_svg}
        return Response(shown, status=status.HTTP_201_CREATED, headers={"Location": location})


class TotpConfirmView(ApiView):
    """``POST mfa/totp/{id}/confirm/``: prove that the app has the key; it counts from then on."""

    bodies = {"post": CodeBody}
    answers = {"post": {200: FactorShape}}

    def post(self, request: Request, factor_id: UUID) -> Response:
        """Return the factor."""
        body = CodeBody.parse(request)
        code = code_in({"code": body.code}, field="")
        check_fresh_proof(user=request.user, session=session_of(request))
        factor = enrolment.confirm_totp(user=request.user, factor_id=factor_id, code=code, client=client_of(request))
        return Response(factor_body(factor))


def factor_body(factor: TotpFactor) -> dict[str, Any]:
    """Return the ``factor`` shape."""
    return {
        "id": str(factor.pk),
        "method": Method.TOTP.value,
        "name": factor.name,
        "created_at": factor.created_at,
        "last_used_at": factor.last_used_at,
    }


def _own(request: Request, factor_id: UUID) -> TotpFactor:
    factor = factor_of(user=request.user, factor_id=factor_id)
    if factor is None:
        raise NotFound
    return factor
