"""The views in which administrators list and reset the second factors of other users."""

from typing import Any
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.answers import page_of
from auth_core.api.views import ApiView, or_not_found
from auth_core.people.lookup import find_by_subject_id
from auth_core.request.client import client_of
from auth_mfa.api.answers import FoundFactorShape
from auth_mfa.api.bodies import FactorFilters
from auth_mfa.api.permissions import MayResetFactors, MaySeeFactors
from auth_mfa.api.views import factor_body
from auth_mfa.factors import reset_factors, rows_of
from auth_mfa.models import EmailFactor, Factor, PhoneFactor


class FoundFactorsView(ApiView):
    """``GET users/second-factors/?user=``: list a user's second factors."""

    permission_classes = (MaySeeFactors,)
    filters = FactorFilters
    answers = {"get": {200: page_of(FoundFactorShape)}}

    def get(self, request: Request) -> Response:
        """Return the user's factors, newest first, with hints only. One page holds them all."""
        person = find_by_subject_id(FactorFilters.parse_query(request).user)
        rows = [] if person is None else rows_of(person)
        return Response({"next": None, "previous": None, "results": [_found(row) for row in rows]})


class ResetFactorsView(ApiView):
    """``DELETE users/second-factors/{subject_id}/``: reset the second factors of a user who lost them."""

    permission_classes = (MayResetFactors,)
    answers = {"delete": {204: None}}

    def delete(self, request: Request, subject_id: UUID) -> Response:
        """Return 204 after all factors are removed and the user is notified.

        The user adds new ones at the next login. Administrators cannot reset themselves.
        """
        person = or_not_found(find_by_subject_id(subject_id))
        reset_factors(user=person, actor=request.user, client=client_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _found(row: Factor) -> dict[str, Any]:
    to = row.hint if isinstance(row, PhoneFactor | EmailFactor) else ""
    return factor_body(row) | {"to": to, "is_exhausted": row.is_exhausted}
