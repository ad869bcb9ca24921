"""The migrations can be applied and reversed, and existing rows keep their meaning."""

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection

from auth_rbac.database import object_triggers, triggers
from auth_rbac.models import Assignment, GroupIdentity, RoleClosure
from auth_rbac.roles.assignments import assign_role
from conftest import make_role


@pytest.mark.django_db(transaction=True)
def test_existing_roles_get_their_closure_and_reversing_leaves_nothing_behind() -> None:
    role = make_role("reader", "shop.view_order")
    RoleClosure.objects.all().delete()
    try:
        call_command("migrate", "auth_rbac", "0001", verbosity=0)
        with connection.cursor() as cursor:
            # Nothing of this app remains on tables of others.
            cursor.execute("DELETE FROM auth_group_permissions")
        assert triggers.missing() == []
    finally:
        call_command("migrate", "auth_rbac", verbosity=0)

    assert triggers.missing() == []
    assert [(row.role_id, row.ancestor_id, row.distance) for row in RoleClosure.objects.all()] == [
        (role.pk, role.pk, 0)
    ]


@pytest.mark.django_db(transaction=True)
def test_existing_groups_get_their_public_ids_and_existing_assignments_stay() -> None:
    readers, role = Group.objects.create(name="readers"), make_role("reader", "shop.view_order")
    assignment = assign_role(group=readers, role=role)
    GroupIdentity.objects.all().delete()
    try:
        call_command("migrate", "auth_rbac", "0003", verbosity=0)
    finally:
        call_command("migrate", "auth_rbac", verbosity=0)

    assert triggers.missing() == []
    assert object_triggers.missing() == []
    assert list(GroupIdentity.objects.values_list("group_id", flat=True)) == [readers.pk]
    assert list(Assignment.objects.all()) == [assignment]
