"""The composed service denies by default, for any spelling of an address and any method."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser

from auth_core.contracts import Transport
from auth_core.testing.browsers import post
from auth_core.testing.doors import Doors
from auth_core.testing.factories import make_administrator
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_rbac.decisions.decisions import check
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from test_doors import DOORS

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

METHODS = ("get", "head", "options", "post", "put", "patch", "delete", "trace")


def spellings(address: str) -> list[str]:
    """Return spellings of an address that a proxy or a router could confuse."""
    return [
        address,
        address.rstrip("/"),
        address.replace("/api/", "//api/", 1),
        address.replace("/v1/", "/v1//", 1),
        address.replace("/v1/", "/v1/./", 1),
        address.replace("/v1/", "/%2e/v1/", 1),
        address.upper(),
    ]


@pytest.mark.asvs("8.2.1")
@pytest.mark.parametrize("address", [one for one in DOORS.addresses("permitted") if one.startswith("/api/")])
def test_no_spelling_or_method_bypasses_a_permission(address: str, alice: Any) -> None:
    callers = {"anonymous": Browser(), "alice": sign_in(alice, transport=Transport.TOKEN)}

    for who, caller in callers.items():
        for spelling in spellings(address):
            for method in METHODS:
                answer = getattr(caller, method)(spelling)
                assert answer.status_code in (301, 400, 401, 403, 404, 405, 415), (
                    who,
                    method,
                    spelling,
                    answer.status_code,
                )


@pytest.mark.asvs("8.2.1")
def test_a_permission_opens_only_its_own_addresses(alice: Any) -> None:
    role = create_role(name="Auditor", permissions=[Permission.objects.get(codename="view_auditentry")])
    assign_role(user=alice, role=role)
    caller = sign_in(alice, assurance="aal2", transport=Transport.TOKEN)

    assert caller.get("/api/v1/audit/entries/").status_code == 200
    for address in ("/api/v1/roles/", "/api/v1/assignments/", "/api/v1/invitations/", "/api/v1/users/sessions/"):
        assert caller.get(address).status_code == 403, address


def test_the_api_and_python_decide_alike(alice: Any) -> None:
    create_and_hold(alice, "view_auditentry")
    caller = sign_in(alice, transport=Transport.TOKEN)
    body = {"permission": "auth_audit.view_auditentry"}

    decision = post(caller, "access/check", **body)

    assert decision.json() == check(type(alice).objects.get(pk=alice.pk), "auth_audit.view_auditentry").to_json()
    assert decision.json()["allowed"]


def test_the_page_of_a_user_links_to_the_explanation(alice: Any) -> None:
    create_and_hold(alice, "view_auditentry")
    root = make_administrator("root@example.org")
    browser = sign_in(root, assurance="aal2", transport=Transport.COOKIE)

    person = browser.get(f"/admin/auth_accounts/user/{alice.pk}/change/")
    page = browser.get(f"/admin/auth_rbac/assignment/explain/{alice.pk}/?permission=auth_audit.view_auditentry")

    assert f"/admin/auth_rbac/assignment/explain/{alice.pk}/" in person.content.decode()
    assert page.status_code == 200
    assert "auth_audit.view_auditentry: allowed" in page.content.decode()


def create_and_hold(user: Any, codename: str) -> None:
    assign_role(user=user, role=create_role(name="Holder", permissions=[Permission.objects.get(codename=codename)]))


def test_the_matrix_is_not_empty() -> None:
    assert isinstance(DOORS, Doors)
    assert len(DOORS.addresses("permitted")) > 10
