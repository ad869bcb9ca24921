"""The views of second factors of all kinds."""

from typing import Any
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.answers import page_of
from auth_core.api.bodies import NoFilters
from auth_core.api.views import ApiView, or_not_found
from auth_core.assurance.evidence import session_of
from auth_core.assurance.methods import Method
from auth_core.errors import NotFound
from auth_mfa.api.answers import FactorShape
from auth_mfa.api.bodies import NameBody
from auth_mfa.factors import check_fresh_proof, factor_of, remove_own_factor, rename_factor, rows_of
from auth_mfa.models import Factor, RecoveryCodeSet


class FactorListView(ApiView):
    """``GET mfa/factors/``: list the caller's second factors."""

    answers = {"get": {200: page_of(FactorShape)}}

    def get(self, request: Request) -> Response:
        """Return the caller's factors, newest first. One page holds them all."""
        NoFilters.parse_query(request)
        return Response(
            {"next": None, "previous": None, "results": [factor_body(row) for row in rows_of(request.user)]}
        )


class FactorView(ApiView):
    """``mfa/factors/{id}/``: show, rename or remove one of the caller's factors."""

    counts_changes = True
    bodies = {"patch": NameBody}
    answers = {"get": {200: FactorShape}, "patch": {200: FactorShape}, "delete": {204: None}}

    def get(self, request: Request, factor_id: UUID) -> Response:
        """Return the factor. A factor of another user is not found."""
        return Response(factor_body(_own(request, factor_id)))

    def patch(self, request: Request, factor_id: UUID) -> Response:
        """Return the factor with its new name."""
        body = NameBody.parse(request)
        factor = _own(request, factor_id)
        rename_factor(factor=factor, name=body.name, session=session_of(request))
        return Response(factor_body(factor))

    def delete(self, request: Request, factor_id: UUID) -> Response:
        """Return 204. Needs a fresh proof, and refuses to remove a required last factor."""
        factor = _own(request, factor_id)
        check_fresh_proof(user=request.user, session=session_of(request))
        if not remove_own_factor(factor=factor, session=session_of(request)):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


def factor_body(factor: Factor) -> dict[str, Any]:
    """Return the ``factor`` shape."""
    body: dict[str, Any] = {
        "id": str(factor.pk),
        "method": Method(factor.method).value,
        "name": factor.name,
        "created_at": factor.created_at,
        "last_used_at": factor.last_used_at,
    }
    return body | ({"codes_left": factor.left} if isinstance(factor, RecoveryCodeSet) else {})


def _own(request: Request, factor_id: UUID) -> Factor:
    return or_not_found(factor_of(user=request.user, factor_id=factor_id))
