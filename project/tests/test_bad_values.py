"""No value from outside causes a 500, for every route and field. Generated from the schema and the routes."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client as Browser
from django.test import RequestFactory
from django.urls import get_resolver, path
from rest_framework.request import Request
from rest_framework.response import Response

from auth_audit.models import AuditEntry
from auth_core.api.bodies import Body, TextField
from auth_core.api.views import AnonymousApiView
from auth_core.people.lookup import identity_of
from auth_core.testing.factories import make_user
from auth_core.testing.sessions import sign_in
from auth_mfa.models import TotpFactor
from auth_rbac.models import Assignment, Role
from auth_sessions.models import Device, Session
from live.bad_values import Call, api_calls, fields_of_the_admin, page_calls, pages_of

pytestmark = pytest.mark.django_db

FAULT = 500

#: CI sends one in this many calls, so each field gets some. `./dev races` sends all.
SHARES = pytest.mark.parametrize("share", [12, pytest.param(1, marks=pytest.mark.races)], ids=["some", "all"])


@pytest.fixture
def root(db: None) -> Any:
    """A superuser, because a view that answers 403 reads no value."""
    return get_user_model()._default_manager.create_superuser(email="root@example.org", password=None)


@pytest.fixture
def good_values(root: Any) -> dict[str, str]:
    """Good values by name, so that the bad value beside them is read."""
    alice = make_user("alice@example.org")
    group = Group.objects.create(name="helpers")
    role = Role.objects.create(name="reader")
    assignment = Assignment.objects.create(user=alice, role=role)
    factor = TotpFactor.objects.create(user=root, name="", confirmed=True)
    sign_in(root, assurance="aal2")
    session = Session.objects.get(user=root)
    device = Device.objects.filter(user=root).first()
    entry = AuditEntry.objects.first()
    subject = str(identity_of(alice).subject_id)
    return {
        "id": "00000000-0000-7000-8000-000000000007", "int": "1", "role_id": str(role.pk), "role": str(role.pk),
        "assignment_id": str(assignment.pk), "factor_id": str(factor.pk), "session_id": str(session.pk),
        "device_id": str(device.pk if device else role.pk), "entry_id": str(entry.pk if entry else role.pk),
        "subject_id": subject, "subject": subject, "user": subject, "group": group.name, "name": group.name,
        "holder": subject, "holder_kind": "person", "subject_kind": "person", "service_id": subject,
        "permission": "auth_rbac.view_role", "type": "auth_rbac.role", "object_permission_id": "abcd", "size": "1",
        "user_pk": str(alice.pk), "group_pk": str(group.pk), "email": "eve@example.org", "identifier": "eve@example.org",
        "token": "elr_" + "x" * 43, "object_id": str(role.pk), "app_label": "auth_rbac",
    }  # fmt: skip


def send_all(calls: Iterable[Call], browser: Browser, share: int = 1) -> tuple[Counter[str], list[str]]:
    """Send one in *share* of *calls*. Return their number by route, and those that ended in an error."""
    browser.raise_request_exception = False
    sent: Counter[str] = Counter()
    faults = []
    for number, call in enumerate(calls):
        # The values of a field are consecutive, and there are more than *share*.
        if number % share:
            continue
        sent[call.route] += 1
        status = call.send(browser)
        if status >= FAULT:
            faults.append(f"{status} {call.route}: {call.part} = {call.value}")
    return sent, faults


def _token(root: Any) -> Browser:
    return sign_in(root, assurance="aal2", transport="token")


def _cookie(root: Any) -> Browser:
    browser = sign_in(root, assurance="aal2")
    browser.handler.enforce_csrf_checks = False
    return browser


@pytest.mark.asvs("2.2.1")
@SHARES
def test_no_value_causes_an_error_in_the_api(share: int, root: Any, good_values: dict[str, str]) -> None:
    sent, faults = send_all(api_calls(good_values), _token(root), share)

    print(f"API: {len(sent)} operations, {sent.total()} calls, {len(faults)} answers of 500 and more")
    assert faults == []
    assert len(sent) > 70


@SHARES
def test_no_value_causes_an_error_in_the_anonymous_api(share: int, good_values: dict[str, str]) -> None:
    open_calls = (call for call in api_calls(good_values) if "/login/" in call.path or "password/" in call.path)
    sent, faults = send_all(open_calls, Browser(), share)

    print(f"open API: {len(sent)} operations, {sent.total()} calls, {len(faults)} answers of 500 and more")
    assert faults == []


@SHARES
@pytest.mark.parametrize("part", ["pages", "admin"])
def test_no_value_causes_an_error_on_a_page(part: str, share: int, root: Any, good_values: dict[str, str]) -> None:
    routes = [
        (route, view)
        for route, view in pages_of(get_resolver().url_patterns)
        if route.startswith("admin/") == (part == "admin")
    ]
    sent, faults = send_all(
        page_calls(routes, _values_for(part, root, good_values), _fields(root)), _cookie(root), share
    )

    print(f"{part}: {len(routes)} routes, {sent.total()} calls, {len(faults)} answers of 500 and more")
    assert faults == []
    assert len(routes) > 30


@SHARES
def test_no_value_causes_an_error_on_an_anonymous_page(share: int, good_values: dict[str, str]) -> None:
    routes = [one for one in pages_of(get_resolver().url_patterns) if not one[0].startswith(("admin/", "account/"))]
    sent, faults = send_all(page_calls(routes, good_values, {}), Browser(), share)

    print(f"open pages: {len(routes)} routes, {sent.total()} calls, {len(faults)} answers of 500 and more")
    assert faults == []


class PlantedFilters(Body):
    """A filter without validation."""

    size = TextField(required=False)


class PlantedView(AnonymousApiView):
    """A view that does not validate numbers."""

    filters = PlantedFilters
    bodies = {"post": PlantedFilters}
    answers = {"get": {200: None}, "post": {200: None}}

    def get(self, request: Request) -> Response:
        """Return nothing."""
        return Response({"size": int(PlantedFilters.parse_query(request).size or 0)})

    def post(self, request: Request) -> Response:
        """Return nothing."""
        return Response({"size": int(PlantedFilters.parse(request).size or 0)})


urlpatterns = [path("api/v1/planted/", PlantedView.as_view())]


def test_a_view_without_number_validation_is_detected(settings: Any, good_values: dict[str, str]) -> None:
    settings.ROOT_URLCONF = __name__

    _sent, faults = send_all(api_calls(good_values, patterns=urlpatterns), Browser())

    assert "500 GET /api/v1/planted/: size = digits that are no ASCII" in faults
    assert "500 POST /api/v1/planted/: size = 5,000 digits" in faults


def _fields(root: Any) -> dict[str, list[str]]:
    request = RequestFactory().get("/")
    request.user = root
    return fields_of_the_admin(request)


def _values_for(part: str, root: Any, good_values: dict[str, str]) -> dict[str, str]:
    return good_values if part == "pages" else {**good_values, "id": str(root.pk), "object_id": good_values["role_id"]}
