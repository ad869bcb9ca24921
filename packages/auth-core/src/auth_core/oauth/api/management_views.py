"""Views with which administrators manage applications and resources."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.answers import page_of
from auth_core.api.bodies import NoFilters
from auth_core.api.pagination import page_response
from auth_core.api.views import ApiView, or_not_found
from auth_core.errors import NotFound
from auth_core.oauth.api.answers import (
    ApplicationShape,
    NewApplicationShape,
    ResourceShape,
    SecretShape,
    application_answer,
    resource_answer,
)
from auth_core.oauth.api.bodies import (
    ApplicationBody,
    ApplicationChangeBody,
    ApplicationFilters,
    ResourceBody,
    ResourceChangeBody,
    SecretBody,
)
from auth_core.oauth.api.permissions import MayManageProvider
from auth_core.oauth.applications.changes import change_application, find_policy, remove_application
from auth_core.oauth.applications.client_secrets import end_previous_secret, replace_secret
from auth_core.oauth.applications.resources import change_resource, create_resource, find_resource, remove_resource
from auth_core.oauth.clients.registration import create_application
from auth_core.oauth.models import ApplicationPolicy, Resource


class ManagementView(ApiView):
    """The base of these views. Every change asks for a fresh proof, as it decides who receives tokens of people."""

    permission_classes = (MayManageProvider,)
    model_name: ClassVar[str] = "applicationpolicy"

    #: The action whose permission every method needs. Empty: that of the method.
    needed_action: ClassVar[str] = ""


class RegisteredListView(ManagementView):
    """``applications/``: list and register applications."""

    bodies = {"post": ApplicationBody}
    filters = ApplicationFilters
    answers = {"get": {200: page_of(ApplicationShape)}, "post": {201: NewApplicationShape}}

    def get(self, request: Request) -> Response:
        """Return one page, newest first."""
        filters = ApplicationFilters.parse_query(request)
        rows = ApplicationPolicy.objects.select_related("application").prefetch_related("allowed_groups")
        if filters.client_id is not None:
            rows = rows.filter(application__client_id=filters.client_id)
        return page_response(request, rows, application_answer)

    def post(self, request: Request) -> Response:
        """Return 201 with the secret, which is never shown again."""
        body = ApplicationBody.parse(request)
        made = create_application(actor=request.user, **body.settings())
        secret = {"client_secret": made.secret} if made.secret else {}
        return self.created({**application_answer(made.policy), **secret}, below=f"{made.policy.pk}/")


class RegisteredView(ManagementView):
    """``applications/{id}/``: show, change, disable and remove an application."""

    bodies = {"patch": ApplicationChangeBody}
    answers = {"get": {200: ApplicationShape}, "patch": {200: ApplicationShape}, "delete": {204: None}}

    def get(self, request: Request, application_id: UUID) -> Response:
        """Return the application."""
        return Response(application_answer(or_not_found(find_policy(application_id))))

    def patch(self, request: Request, application_id: UUID) -> Response:
        """Return the changed application. The change counts at its next request. Disabled, it loses what people gave."""
        body, policy = ApplicationChangeBody.parse(request), or_not_found(find_policy(application_id))
        change_application(policy=policy, actor=request.user, **body.settings())
        return Response(application_answer(or_not_found(find_policy(application_id))))

    def delete(self, request: Request, application_id: UUID) -> Response:
        """Return 204. Everything that people gave to it ends, and its roles have no effect."""
        remove_application(policy=or_not_found(find_policy(application_id)), actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SecretView(ManagementView):
    """``POST applications/{id}/secret/``: replace the secret."""

    needed_action = "change"
    bodies = {"post": SecretBody}
    answers = {"post": {200: SecretShape}}

    def post(self, request: Request, application_id: UUID) -> Response:
        """Return the new secret, which is never shown again."""
        body, policy = SecretBody.parse(request), or_not_found(find_policy(application_id))
        secret = replace_secret(policy=policy, overlap=timedelta(seconds=body.overlap), actor=request.user)
        return Response({"client_secret": secret, "previous_secret_until": policy.previous_secret_until})


class PreviousSecretView(ManagementView):
    """``DELETE applications/{id}/secret/previous/``: accept the secret before no more."""

    needed_action = "change"
    answers = {"delete": {204: None}}

    def delete(self, request: Request, application_id: UUID) -> Response:
        """Return 204. Without a secret that is still accepted, it is not found."""
        if not end_previous_secret(policy=or_not_found(find_policy(application_id)), actor=request.user):
            raise NotFound
        return Response(status=status.HTTP_204_NO_CONTENT)


class ResourceListView(ManagementView):
    """``resources/``: list and register resources."""

    model_name = "resource"
    bodies = {"post": ResourceBody}
    filters = NoFilters
    answers = {"get": {200: page_of(ResourceShape)}, "post": {201: ResourceShape}}

    def get(self, request: Request) -> Response:
        """Return one page, newest first."""
        NoFilters.parse_query(request)
        return page_response(request, Resource.objects.select_related("application__auth_policy"), resource_answer)

    def post(self, request: Request) -> Response:
        """Return 201. 409: there is one with this URI."""
        body = ResourceBody.parse(request)
        resource = create_resource(actor=request.user, **body.settings())
        return self.created(resource_answer(resource), below=f"{resource.pk}/")


class ResourceView(ManagementView):
    """``resources/{id}/``: show, change and remove a resource."""

    model_name = "resource"
    bodies = {"patch": ResourceChangeBody}
    answers = {"get": {200: ResourceShape}, "patch": {200: ResourceShape}, "delete": {204: None}}

    def get(self, request: Request, resource_id: UUID) -> Response:
        """Return the resource."""
        return Response(resource_answer(or_not_found(find_resource(resource_id))))

    def patch(self, request: Request, resource_id: UUID) -> Response:
        """Return the changed resource. The change counts for the next token."""
        body, resource = ResourceChangeBody.parse(request), or_not_found(find_resource(resource_id))
        change_resource(resource=resource, actor=request.user, **body.settings())
        return Response(resource_answer(or_not_found(find_resource(resource_id))))

    def delete(self, request: Request, resource_id: UUID) -> Response:
        """Return 204. No token for it is issued any more."""
        remove_resource(resource=or_not_found(find_resource(resource_id)), actor=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)
