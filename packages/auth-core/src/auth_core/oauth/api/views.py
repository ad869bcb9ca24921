"""Views of the applications that people use."""

from collections.abc import Sequence
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.answers import page_of
from auth_core.api.bodies import NoFilters
from auth_core.api.pagination import page_response
from auth_core.api.views import ApiView, or_not_found
from auth_core.errors import NotFound
from auth_core.oauth.api.answers import GivenShape, given_answer
from auth_core.oauth.grants.people import Given, applications_of, given_to, revoke_application
from auth_core.oauth.models import ApplicationPolicy
from auth_core.request.client import client_of


class ApplicationListView(ApiView):
    """``GET me/applications/``: list the applications to which I have given access."""

    answers = {"get": {200: page_of(GivenShape)}}

    def get(self, request: Request) -> Response:
        """Return one page, newest application first."""
        NoFilters.parse_query(request)
        accesses: dict[UUID, Given] = {}

        def gather(page: Sequence[ApplicationPolicy]) -> None:
            accesses.update(given_to(request.user, page))

        return page_response(
            request, applications_of(request.user), lambda policy: given_answer(accesses[policy.pk]), gather=gather
        )


class ApplicationView(ApiView):
    """``GET`` and ``DELETE me/applications/{id}/``: show or take back what I have given to one application."""

    counts_changes = True
    answers = {"get": {200: GivenShape}, "delete": {204: None}}

    def get(self, request: Request, application_id: UUID) -> Response:
        """Return it. An application to which the caller has given nothing is not found."""
        policy = or_not_found(applications_of(request.user).filter(pk=application_id).first())
        return Response(given_answer(given_to(request.user, [policy])[policy.pk]))

    def delete(self, request: Request, application_id: UUID) -> Response:
        """Take all of it back. Every token of the application for this person is refused from now on."""
        if not revoke_application(user=request.user, application_id=application_id, client=client_of(request)):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)
