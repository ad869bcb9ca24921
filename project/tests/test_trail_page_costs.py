"""What a page of the trail costs: statements. Decision record 0050 explains the numbers."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser

from auth_core.testing.browsers import log_in
from auth_core.testing.counts import counted
from auth_core.testing.redis import OwnRedis
from auth_core.testing.sessions import sign_in
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]


def statements_of(caller: Browser, address: str) -> list[str]:
    """Return the statements of the second of two equal requests, each of which shows more than one entry."""
    for _request in range(2):
        with counted() as cost:
            page = caller.get(address).json()
        assert len(page["results"]) > 1
    return cost.statements


def test_a_page_of_the_trail_is_one_statement_beside_the_permission(shared: OwnRedis, alice: Any) -> None:
    assign_role(user=alice, role=create_role(name="Auditor", permissions=[permission("view_auditentry")]))
    caller = sign_in(alice, assurance="aal2", transport="token")

    statements = statements_of(caller, "/api/v1/audit/entries/")

    assert len(statements) == 2, statements
    assert "auth_rbac_personversion" in statements[0]
    assert 'FROM "auth_audit_auditentry"' in statements[1]


def test_a_page_of_ones_own_activity_is_one_statement(shared: OwnRedis, alice: Any) -> None:
    for _login in range(2):
        log_in(Browser(), transport="token")
    caller = sign_in(alice, transport="token")

    statements = statements_of(caller, "/api/v1/me/activity/")

    assert len(statements) == 1, statements


def permission(codename: str) -> Permission:
    return Permission.objects.get(codename=codename)
