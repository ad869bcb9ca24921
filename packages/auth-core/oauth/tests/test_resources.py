"""``/api/v1/resources/``: what tokens are for, as administrators register it."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser

from administrators import RESOURCES, browser_of_clerk, send, state
from auth_core.errors import PermissionRefused
from auth_core.oauth.applications import resources
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import Resource
from auth_core.oauth.testing.factories import Registered, introspect, make_application
from auth_core.testing.counts import counted

pytestmark = pytest.mark.django_db

URI = "https://api.example"


def new(**values: Any) -> dict[str, Any]:
    return {"uri": URI, "scopes": {"orders:read": "See your orders"}, **values}


def test_a_resource_is_registered_used_changed_and_removed(
    administrator: Browser, web: Registered, events: list[Any]
) -> None:
    made = send(administrator, "post", RESOURCES, **new(owner=str(web.policy.pk), name="Orders"))
    address = made.headers["Location"]
    service = make_application(grant="client-credentials", scopes="orders:read")
    parameters = {"grant_type": "client_credentials", "scope": "orders:read", "resource": URI}
    token = service.post("/oauth/token", **parameters).json()["access_token"]

    assert (made.status_code, made.json()["owner"]) == (201, str(web.policy.pk))
    assert administrator.get(address).json() == made.json() == administrator.get(RESOURCES).json()["results"][0]
    assert introspect(web, token)["aud"] == URI
    changed = send(administrator, "patch", address, active=False, owner=None)
    assert (changed.json()["active"], changed.json()["owner"]) == (False, None)
    assert service.post("/oauth/token", **parameters).json()["error"] == "invalid_target"
    assert administrator.delete(address).status_code == 204
    assert administrator.delete(address).status_code == 404
    (change,) = [event.changes for event in events if event.name is OAuthEvent.RESOURCE_CHANGED]
    assert change == {
        "owner": {"before": str(web.policy.pk), "after": None}, "active": {"before": True, "after": False},
    }  # fmt: skip
    assert [event.name for event in events][-1] is OAuthEvent.RESOURCE_REMOVED


def test_a_resource_of_an_application_that_holds_more_is_not_changed(
    web: Registered, administrator: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the owner nor the resource, as it was before the change, by the API and by the admin site."""
    own = make_application(grant="client-credentials")
    theirs = Resource.objects.create(uri=URI, application=web.policy.application)
    free = Resource.objects.create(uri=f"{URI}/free")

    def refuse(actor: Any, service: Any) -> None:
        if service == web.policy.pk:
            raise PermissionRefused

    monkeypatch.setattr(resources, "check_service", refuse)
    before = state()
    answers = [
        send(administrator, "patch", f"{RESOURCES}{theirs.pk}/", owner=str(own.policy.pk)),
        send(administrator, "patch", f"{RESOURCES}{theirs.pk}/", owner=None),
        send(administrator, "patch", f"{RESOURCES}{free.pk}/", owner=str(web.policy.pk)),
        send(administrator, "post", RESOURCES, **new(uri=f"{URI}/new", owner=str(web.policy.pk))),
        administrator.delete(f"{RESOURCES}{theirs.pk}/"),
    ]
    page = administrator.post(f"/admin/auth_oauth/resource/{theirs.pk}/delete/", {"post": "yes"})

    assert [answer.status_code for answer in answers] == [403] * 5
    assert page.status_code == 302
    # The admin site leads back with a message.
    assert "deleted successfully" not in administrator.get(page.headers["Location"]).content.decode()
    assert state() == before
    assert send(administrator, "patch", f"{RESOURCES}{free.pk}/", owner=str(own.policy.pk)).status_code == 200


@pytest.mark.parametrize(
    "uri",
    [
        "api", "http://api.example", "https://api.example#x", "https://api.example?x=1", "https://API.example",
        "https://*.example", "https://u:p@api.example", "urn:x", "com.example.app:/cb", "https://auth.example.org",
        "https://auth.example.org/", "https://", "javascript:alert(1)", "", "https://api.example/ü",
        "https://api.example/" + "x" * 600,
    ],
)  # fmt: skip
def test_a_uri_has_one_spelling(uri: str, administrator: Browser) -> None:
    answer = send(administrator, "post", RESOURCES, **new(uri=uri))

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "uri")
    assert not Resource.objects.exists()


def test_a_second_resource_with_the_same_uri_is_a_conflict(administrator: Browser) -> None:
    assert send(administrator, "post", RESOURCES, **new()).status_code == 201

    assert send(administrator, "post", RESOURCES, **new(uri=f"{URI}/")).status_code == 409


@pytest.mark.parametrize(
    "values",
    [
        {"scopes": {"openid": "x"}}, {"scopes": {"a b": "x"}}, {"scopes": {"a": ""}}, {"scopes": {"a": "x\ny"}},
        {"scopes": ["a"]}, {"scopes": {"a": 1}}, {"scopes": {str(number): "x" for number in range(101)}},
        {"token_format": "saml"}, {"signing_algorithm": "HS256"}, {"signing_algorithm": "none"}, {"owner": "x"},
        {"owner": str(uuid4())}, {"name": "a\u2028b"}, {"uri2": "x"}, {"active": "maybe"},
    ],
)  # fmt: skip
def test_a_bad_value_is_a_field_error_and_changes_nothing(values: dict[str, Any], administrator: Browser) -> None:
    resource = Resource.objects.create(uri="https://other.example")
    before = state()

    for answer in (
        send(administrator, "post", RESOURCES, **new(**values)),
        send(administrator, "patch", f"{RESOURCES}{resource.pk}/", **values),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert state() == before


def test_the_uri_never_changes(administrator: Browser) -> None:
    resource = Resource.objects.create(uri=URI)

    assert send(administrator, "patch", f"{RESOURCES}{resource.pk}/", uri="https://b.example").status_code == 400


@pytest.mark.parametrize(("method", "permission"), [("get", "view"), ("patch", "change"), ("delete", "delete")])
def test_each_method_needs_its_own_permission(method: str, permission: str) -> None:
    resource = Resource.objects.create(uri=URI)
    others = [f"{one}_resource" for one in ("view", "add", "change", "delete") if one != permission]
    address, before = f"{RESOURCES}{resource.pk}/", state()

    assert send(Browser(), method, address).status_code == 401
    assert send(browser_of_clerk(*others, is_staff=True), method, address).status_code == 403
    assert state() == before
    assert send(browser_of_clerk(f"{permission}_resource"), method, address).status_code in (200, 204)


def test_the_list_takes_the_same_queries_for_many(administrator: Browser, web: Registered) -> None:
    def queries() -> int:
        with counted() as counts:
            assert administrator.get(RESOURCES).status_code == 200
        return counts.queries

    Resource.objects.create(uri=URI, application=web.row)
    few = queries()
    for number in range(20):
        Resource.objects.create(uri=f"{URI}/{number}", application=make_application().row)

    assert queries() == few
