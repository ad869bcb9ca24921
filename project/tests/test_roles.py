"""A role grants access to another package, and a revocation applies to the next request."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client as Browser

from auth_audit.testing.trail import recorded
from auth_core.contracts import Transport
from auth_core.flows.account_creation import create_account
from auth_core.testing.browsers import log_in
from auth_core.testing.factories import PASSWORD
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_rbac.models.holder import public_id_of_group
from auth_rbac.roles.assignments import assign_role, revoke_role
from auth_rbac.roles.roles import create_role, set_permissions

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))


@pytest.mark.asvs("8.3.2")
def test_a_role_applies_and_ends_on_the_next_request(alice: Any) -> None:
    caller = sign_in(alice, assurance="aal2", transport=Transport.TOKEN)
    auditor = create_role(name="Auditor", permissions=[Permission.objects.get(codename="view_auditentry")])
    root = create_account(email="root@example.org", password=PASSWORD, superuser=True)
    statuses = [caller.get("/api/v1/audit/entries/").status_code]

    assignment = assign_role(user=alice, role=auditor, granted_by=root)
    statuses.append(caller.get("/api/v1/audit/entries/").status_code)
    set_permissions(role=auditor, permissions=[], actor=root)
    statuses.append(caller.get("/api/v1/audit/entries/").status_code)
    set_permissions(role=auditor, permissions=[Permission.objects.get(codename="view_auditentry")], actor=root)
    statuses.append(caller.get("/api/v1/audit/entries/").status_code)
    revoke_role(assignment=assignment, revoked_by=root)
    statuses.append(caller.get("/api/v1/audit/entries/").status_code)

    assert statuses == [403, 200, 403, 200, 403]
    entry = recorded("rbac.assignment.revoked")[0]
    assert (entry.subject_id, entry.actor_id) == (alice.auth_identity.subject_id, root.auth_identity.subject_id)


@pytest.mark.usefixtures("alice")
def test_a_role_of_a_group_is_recorded_by_public_id_and_without_a_subject() -> None:
    readers = Group.objects.create(name="readers")

    assign_role(group=readers, role=create_role(name="Auditor", permissions=[]))

    entry = recorded("rbac.assignment.granted")[0]
    assert (entry.subject_id, entry.data["holder_kind"]) == (None, "group")
    assert entry.data["holder"] == str(public_id_of_group(readers))


@pytest.mark.asvs("7.2.4")
def test_assigning_a_role_rotates_the_credentials_of_the_user(alice: Any, browser: Browser) -> None:
    log_in(browser)
    before = browser.cookies["sessionid"].value

    assign_role(user=alice, role=create_role(name="Auditor", permissions=[]))
    answer = browser.get("/api/v1/me/")

    assert answer.status_code == 200
    assert browser.cookies["sessionid"].value != before
