"""Service accounts with roles: who grants them, what a decision says, what ends them, and who may change the application."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser
from django.urls import include, path
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.api.views import ApiView
from auth_core.oauth.applications.changes import change_application, remove_application
from auth_core.oauth.clients.scopes import scopes_for_person
from auth_core.oauth.testing.factories import Registered, exchange, make_application, make_code, userinfo
from auth_core.testing.browsers import post
from auth_core.testing.factories import make_administrator, make_user
from auth_core.testing.sessions import sign_in
from auth_rbac.decisions.decisions import check
from auth_rbac.holders.service_subject import ServiceSubject
from auth_rbac.models import Assignment, Role
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role

pytestmark = [pytest.mark.django_db, pytest.mark.urls("test_service_accounts")]

PERMISSION = "auth_core.view_invitation"


class MayRead(BasePermission):
    """Asks the roles."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user.has_perm(PERMISSION))


class ReportsView(ApiView):
    """A route of a site that tokens open."""

    permission_classes = (MayRead,)
    token_scopes = {"get": "reports"}

    def get(self, request: Request) -> Response:
        return Response({})


urlpatterns = [path("reports/", ReportsView.as_view()), path("", include("enterprise_auth.urls"))]


@pytest.fixture
def role(db: None) -> Role:
    """A role that may see invitations."""
    return create_role(name="Reader", permissions=Permission.objects.filter(codename="view_invitation"))


@pytest.fixture
def robot(settings: Any) -> Registered:
    """A service account that may have the scope of the route."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SCOPES": {"reports": "See reports"}}
    return make_application(
        grant="client-credentials", grant_types="client_credentials", scopes="reports", is_service_account=True
    )


def reads(robot: Registered) -> int:
    """Return the status of the route for a new token of the application."""
    token = robot.post("/oauth/token", grant_type="client_credentials").json()["access_token"]
    return int(Browser().get("/reports/", HTTP_AUTHORIZATION=f"Bearer {token}").status_code)


def grant_by_api(robot: Registered, role: Role) -> None:
    """Grant the role through the API."""
    holder = {"kind": "service", "id": str(robot.policy.pk)}
    granted = post(sign_in(make_administrator(), assurance="aal2"), "assignments", holder=holder, role=str(role.pk))
    assert granted.status_code == 201, granted.content


def grant_by_admin(robot: Registered, role: Role) -> None:
    """Grant the role in the admin."""
    fields = {"user": "", "group": "", "service_id": str(robot.policy.pk), "role": str(role.pk), "reason": ""}
    moments = {"valid_from_0": "2026-01-01", "valid_from_1": "00:00:00", "scope_id": ""}
    browser = sign_in(make_administrator(), assurance="aal2")
    assert browser.post("/admin/auth_rbac/assignment/add/", {**fields, **moments}).status_code == 302
    assert b"Example" in browser.get("/admin/auth_rbac/assignment/").content


@pytest.mark.parametrize("grant", [grant_by_api, grant_by_admin])
def test_a_granted_role_opens_the_route(grant: Any, robot: Registered, role: Role) -> None:
    assert reads(robot) == 403

    grant(robot, role)

    assert reads(robot) == 200
    assert check(ServiceSubject(robot.policy.pk), PERMISSION)
    Assignment.objects.all().delete()
    assert reads(robot) == 403


def test_a_role_gives_nothing_to_an_application_that_is_no_service_account(role: Role) -> None:
    application = make_application(grant="client-credentials")
    holder = {"kind": "service", "id": str(application.policy.pk)}

    refused = post(sign_in(make_administrator(), assurance="aal2"), "assignments", holder=holder, role=str(role.pk))

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "unknown_holder")


ENDS: dict[str, Any] = {
    "no service account": lambda policy: change_application(policy=policy, is_service_account=False),
    "disabled": lambda policy: change_application(policy=policy, is_active=False),
    "removed": lambda policy: remove_application(policy=policy),
}


@pytest.mark.parametrize("name", ENDS)
def test_the_next_decision_is_no(name: str, robot: Registered, role: Role) -> None:
    assign_role(service_id=robot.policy.pk, role=role)
    token = robot.post("/oauth/token", grant_type="client_credentials").json()["access_token"]
    public_id, client = robot.policy.pk, Browser(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert client.get("/reports/").status_code == 200

    ENDS[name](robot.policy)

    assert client.get("/reports/").status_code == 401
    assert not check(ServiceSubject(public_id), PERMISSION)


@pytest.mark.asvs("8.2.1")
@pytest.mark.parametrize("is_flagged", [True, False])
def test_only_who_holds_the_roles_of_an_application_changes_it(is_flagged: bool, robot: Registered, role: Role) -> None:
    """Turning the flag on, or reading a new secret, would give the roles to the administrator."""
    assign_role(service_id=robot.policy.pk, role=role)
    change_application(policy=robot.policy, is_service_account=is_flagged)
    clerk = make_user(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="auth_oauth"))
    browser, address = sign_in(clerk, assurance="aal2"), f"/api/v1/applications/{robot.policy.pk}/"

    def answers() -> list[int]:
        flag = {"service_account": not is_flagged}
        return [
            browser.patch(address, flag, content_type="application/json").status_code,
            browser.post(f"{address}secret/", {}, content_type="application/json").status_code,
        ]

    assert answers() == [403, 403]
    assert robot.policy.is_service_account is is_flagged
    assign_role(user=clerk, role=role)
    assert answers() == [200, 200]


def test_roles_are_told_to_applications_that_may_ask(role: Role) -> None:
    person = make_user()
    assign_role(user=person, role=role)
    allowed, other = make_application(scopes="roles"), make_application()

    def claims(application: Registered, *scopes: str) -> dict[str, Any]:
        code = make_code(application, person, scopes=["openid", *scopes], claims={"userinfo": {"roles": None}})
        answer: dict[str, Any] = userinfo(exchange(application, code).json()["access_token"]).json()
        return answer

    assert claims(allowed, "roles")["roles"] == ["reader"]
    assert "roles" not in claims(allowed)
    assert "roles" not in claims(other)


def test_an_application_that_is_not_listed_for_roles_never_gets_the_scope() -> None:
    assert scopes_for_person(make_application().registered, ["openid", "roles"]) == ["openid"]
    assert scopes_for_person(make_application(scopes="roles").registered, ["openid", "roles"]) == ["openid", "roles"]
