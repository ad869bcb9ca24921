"""Denials by roles are audited, including those for hidden objects. The response does not tell them apart."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.test import RequestFactory
from django.urls import include, path
from rest_framework.authentication import SessionAuthentication
from rest_framework.generics import RetrieveDestroyAPIView
from rest_framework.serializers import ModelSerializer
from rest_framework.views import exception_handler

from auth_core.testing.browsers import post
from auth_core.testing.events import recording
from auth_rbac.api.permissions import Permitted
from auth_rbac.decorators import require_permission
from auth_rbac.roles.assignments import assign_role
from conftest import browser_of, held_by, make_role, named
from shop.models import Order

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


class OrderBody(ModelSerializer[Order]):
    class Meta:
        model = Order
        fields = ["pk"]


class OrderView(RetrieveDestroyAPIView[Order]):
    """A view of a site, with DRF's own exception handler."""

    queryset = Order.objects.all()
    serializer_class = OrderBody
    authentication_classes = [SessionAuthentication]
    permission_classes = [Permitted]

    def get_exception_handler(self) -> Any:
        return exception_handler


@require_permission("change", of=Order)
def change(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse("changed")


@require_permission("shop.add_order")
def add(request: HttpRequest) -> HttpResponse:
    return HttpResponse("added")


urlpatterns = [
    path("orders/<int:pk>/", OrderView.as_view()),
    path("orders/<int:pk>/change/", change),
    path("orders/add/", add),
    path("api/v1/", include("auth_core.api.urls")),
    path("api/v1/", include("auth_rbac.api.urls")),
]


def test_a_question_about_hidden_people_and_objects_is_recorded(alice: User) -> None:
    order, bob = Order.objects.create(), User.objects.create_user("bob")
    questions: list[dict[str, Any]] = [
        {"object": named(order)},
        {"subject": held_by(bob)},
        {"subject": {"kind": "person", "id": str(uuid4())}},
        {},
    ]

    with recording() as events:
        statuses = [
            post(browser_of(alice), "access/check", permission="shop.view_order", **question).status_code
            for question in questions
        ]
        statuses += [
            browser_of(alice)
            .get(f"/api/v1/access/subjects/?permission=shop.view_order&type=shop.order&id={pk}")
            .status_code
            for pk in (order.pk, 987654)
        ]

    assert statuses == [404, 404, 404, 200, 404, 404]
    assert [(event.reason, event.data["route"]) for event in events] == [
        *[("not_shown", "api/v1/access/check/")] * 3,
        ("not_shown", "api/v1/access/subjects/"),
    ]


@pytest.mark.asvs("16.3.2")
@pytest.mark.parametrize(
    ("method", "address", "status", "reason"),
    [
        ("get", "/orders/{hidden}/", 404, "not_shown"),
        ("get", "/orders/{hidden}/change/", 404, "not_shown"),
        ("delete", "/orders/{visible}/", 403, "permission_denied"),
        ("get", "/orders/{visible}/change/", 403, "permission_denied"),
        ("get", "/orders/add/", 403, "permission_denied"),
        ("get", "/api/v1/roles/", 403, "permission_denied"),
        ("get", "/orders/987654/", 404, ""),
        ("get", "/orders/987654/change/", 404, ""),
        ("get", "/orders/{visible}/", 200, ""),
    ],
)
def test_denials_are_recorded_and_missing_objects_are_not(
    method: str, address: str, status: int, reason: str, alice: User
) -> None:
    visible, hidden = Order.objects.create(), Order.objects.create()
    assign_role(user=alice, role=make_role("reader", "shop.view_order"), scope=visible)
    browser = browser_of(alice)

    with recording() as events:
        answer = getattr(browser, method)(address.format(visible=visible.pk, hidden=hidden.pk))

    assert answer.status_code == status
    assert [(event.name.value, event.reason, event.subject) for event in events] == (
        [("auth.access.denied", reason, alice)] if reason else []
    )


def test_a_hidden_object_looks_like_a_missing_one(alice: User) -> None:
    hidden = Order.objects.create()
    browser, request = browser_of(alice), RequestFactory().get("/")
    request.user = alice

    bodies, words = [], []
    for pk in (hidden.pk, hidden.pk + 1):
        bodies.append(browser.get(f"/orders/{pk}/").json())
        with pytest.raises(Http404) as raised:
            change(request, pk=pk)
        words.append(str(raised.value))

    assert bodies == [{"detail": "No Order matches the given query."}] * 2
    assert words == ["No Order matches the given query."] * 2
