"""The last administrator stays, whichever model, statement or admin page would remove them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import IntegrityError, connection, transaction
from django.test import Client as Browser

from auth_core.api.problems import error_of
from auth_core.people.locking import LockReason, disable_account, lock_account, unlock_account
from auth_core.testing.parallel import ROUNDS, one_winner
from auth_rbac.database import administrator_trigger
from auth_rbac.errors import LastAdministrator
from auth_rbac.models import Assignment, Role
from auth_rbac.roles.assignments import assign_role, revoke_role
from conftest import again, browser_of, make_role, permission
from shop.models import Clerk

Manager = Callable[..., User]

pytestmark = pytest.mark.django_db

MESSAGE = "This site needs at least one administrator."

#: What removes a person who is a superuser.
REMOVALS: dict[str, Callable[[User], Any]] = {
    "delete": lambda person: again(person).delete(),
    "delete a proxy": lambda person: Clerk.objects.get(pk=person.pk).delete(),
    "delete a queryset": lambda person: User.objects.filter(pk=person.pk).delete(),
    "demote": lambda person: save(again(person), is_superuser=False),
    "demote a proxy": lambda person: save(Clerk.objects.get(pk=person.pk), is_superuser=False),
    "disable": lambda person: save(again(person), is_active=False),
    "disable one field": lambda person: save(again(person), ["is_active"], is_active=False),
}


def save(person: User, update_fields: list[str] | None = None, **values: Any) -> None:
    for name, value in values.items():
        setattr(person, name, value)
    person.save(update_fields=update_fields)


@pytest.mark.parametrize("removal", REMOVALS)
def test_the_last_superuser_stays(removal: str, manager_of: Manager) -> None:
    """Also beside people who may assign roles: they do not hold everything."""
    root = User.objects.create_superuser("root")
    manager_of("carol")

    with pytest.raises(LastAdministrator), transaction.atomic():
        REMOVALS[removal](root)

    assert again(root).is_active
    assert again(root).is_superuser
    User.objects.create_superuser("another")
    REMOVALS[removal](root)


def run(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def bulk_update(person: User, **values: Any) -> None:
    stored = again(person)
    for name, value in values.items():
        setattr(stored, name, value)
    User.objects.bulk_update([stored], list(values))


#: What removes a superuser without a signal.
STATEMENTS: dict[str, Callable[[User], Any]] = {
    "demote": lambda person: User.objects.filter(pk=person.pk).update(is_superuser=False),
    "disable": lambda person: User.objects.filter(pk=person.pk).update(is_active=False),
    "disable everybody": lambda person: User.objects.update(is_active=False),
    "demote in bulk": lambda person: bulk_update(person, is_superuser=False),
    "disable in bulk": lambda person: bulk_update(person, is_active=False),
    "sql": lambda person: run("UPDATE auth_user SET is_active = NOT is_active WHERE id = %s", person.pk),
}


@pytest.mark.parametrize("statement", STATEMENTS)
def test_the_last_superuser_stays_whichever_statement_would_remove_them(statement: str, manager_of: Manager) -> None:
    root = User.objects.create_superuser("root")
    carol = manager_of("carol")

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        STATEMENTS[statement](root)

    assert isinstance(error_of(refused.value), LastAdministrator)
    assert again(root).is_active
    assert again(root).is_superuser
    assert again(carol).is_active
    User.objects.create_superuser("another")
    if statement != "disable everybody":
        STATEMENTS[statement](root)


def test_other_changes_of_the_last_superuser_are_not_refused() -> None:
    root = User.objects.create_superuser("root")
    User.objects.create_user("alice")

    assert User.objects.filter(pk=root.pk).update(is_staff=False, last_name="Root") == 1
    assert User.objects.exclude(pk=root.pk).update(is_active=False) == 1
    assert User.objects.filter(pk=root.pk).update(is_superuser=True, is_active=True) == 1


def test_another_integrity_error_is_not_the_refusal() -> None:
    User.objects.create_superuser("root")

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        User.objects.bulk_create([User(username="root")])

    assert error_of(refused.value) is None


def test_the_last_superuser_is_not_disabled_by_our_function() -> None:
    root = User.objects.create_superuser("root")

    with pytest.raises(LastAdministrator), transaction.atomic():
        disable_account(user=root)

    assert again(root).is_active


def test_a_missing_trigger_is_reported_and_created_again() -> None:
    administrator_trigger.lift()
    with pytest.raises(SystemCheckError, match=r"auth_rbac\.E006"):
        call_command("check", databases=["default"])

    administrator_trigger.lay()

    call_command("check", databases=["default"])


def test_an_administrator_does_not_lock_the_last_one(manager_of: Manager) -> None:
    """No one could unlock them. A lock after a report of theft is lifted by a reset of the password."""
    root = User.objects.create_superuser("root")
    manager_of("carol")

    with pytest.raises(LastAdministrator), transaction.atomic():
        lock_account(user=again(root))

    assert lock_account(user=again(root), reason=LockReason.NOT_ME)
    another = User.objects.create_superuser("another")
    assert lock_account(user=again(root))
    with pytest.raises(LastAdministrator), transaction.atomic():
        lock_account(user=again(another))


def test_an_administrator_does_not_lock_the_last_role_manager(manager_of: Manager, alice: User) -> None:
    carol = manager_of("carol")

    with pytest.raises(LastAdministrator), transaction.atomic():
        lock_account(user=again(carol))

    assert lock_account(user=alice)
    manager_of("dave")
    assert lock_account(user=again(carol))


@pytest.mark.parametrize("removal", REMOVALS)
def test_a_locked_administrator_does_not_count(removal: str) -> None:
    root, locked = User.objects.create_superuser("root"), User.objects.create_superuser("locked")
    lock_account(user=locked)

    with pytest.raises(LastAdministrator), transaction.atomic():
        REMOVALS[removal](root)
    with pytest.raises(LastAdministrator), transaction.atomic():
        disable_account(user=again(root))

    assert unlock_account(user=again(locked))
    REMOVALS[removal](root)


def test_without_superusers_a_locked_role_manager_does_not_count(manager_of: Manager) -> None:
    carol, locked = manager_of("carol"), manager_of("dave")
    lock_account(user=locked)

    with pytest.raises(LastAdministrator), transaction.atomic():
        revoke_role(assignment=Assignment.objects.get(user=carol))

    assert revoke_role(assignment=Assignment.objects.get(user=locked))


@pytest.fixture
def managers(alice: User) -> Group:
    """A group whose only member is the last administrator of the site."""
    group = Group.objects.create(name="managers")
    assign_role(group=group, role=make_role("manager", "auth_rbac.add_assignment"))
    alice.groups.add(group)
    return group


#: What takes the role of a group from its last member.
LOSSES: dict[str, Callable[[User, Group], Any]] = {
    "remove": lambda person, group: person.groups.remove(group),
    "set": lambda person, group: person.groups.set([]),
    "clear": lambda person, group: person.groups.clear(),
    "remove from the group": lambda person, group: group.user_set.remove(person),
    "clear the group": lambda person, group: group.user_set.clear(),
    "delete the group": lambda person, group: again_group(group).delete(),
    "delete all groups": lambda person, group: Group.objects.all().delete(),
}


def again_group(group: Group) -> Group:
    return Group.objects.get(pk=group.pk)


@pytest.mark.parametrize("loss", LOSSES)
def test_without_superusers_the_last_role_manager_keeps_their_group(loss: str, managers: Group, alice: User) -> None:
    with pytest.raises(LastAdministrator), transaction.atomic():
        LOSSES[loss](alice, managers)

    assert again(alice).has_perm("auth_rbac.add_assignment")
    User.objects.create_superuser("root")
    LOSSES[loss](again(alice), again_group(managers))
    assert not again(alice).has_perm("auth_rbac.add_assignment")


def test_without_superusers_the_last_role_manager_keeps_their_permissions(alice: User) -> None:
    group, add = Group.objects.create(name="managers"), permission("auth_rbac.add_assignment")
    group.permissions.add(add)
    alice.groups.add(group)
    alice.user_permissions.add(add)

    alice.user_permissions.clear()
    with pytest.raises(LastAdministrator), transaction.atomic():
        group.permissions.set([])

    alice.user_permissions.add(add)
    group.permissions.set([])
    with pytest.raises(LastAdministrator), transaction.atomic():
        alice.user_permissions.remove(add)
    assert again(alice).has_perm("auth_rbac.add_assignment")


def test_all_superusers_are_not_deleted_at_once(manager_of: Manager) -> None:
    manager_of("carol")
    for name in ("root", "another"):
        User.objects.create_superuser(name)

    with pytest.raises(LastAdministrator), transaction.atomic():
        User.objects.filter(is_superuser=True).delete()

    assert User.objects.filter(is_superuser=True).count() == 2


@pytest.mark.parametrize("removal", [name for name in REMOVALS if "demote" not in name])
def test_without_superusers_the_last_role_manager_stays(removal: str, manager_of: Manager) -> None:
    carol = manager_of("carol")

    with pytest.raises(LastAdministrator), transaction.atomic():
        REMOVALS[removal](carol)

    assert again(carol).has_perm("auth_rbac.add_assignment")
    manager_of("dave")
    REMOVALS[removal](carol)


def test_without_superusers_all_role_managers_are_not_deleted_at_once(manager_of: Manager, alice: User) -> None:
    for name in ("carol", "dave"):
        manager_of(name)

    with pytest.raises(LastAdministrator), transaction.atomic():
        User.objects.all().delete()

    assert User.objects.count() == 3
    alice.delete()


def test_people_of_a_site_without_administrators_can_be_deleted(alice: User) -> None:
    User.objects.all().delete()

    assert not User.objects.exists()


def selected(person: User, action: str) -> tuple[str, dict[str, Any]]:
    return "/guarded/auth/user/", {"action": action, "_selected_action": [str(person.pk)]}


#: Forms of Django's own admin pages for people.
PAGES: dict[str, Callable[[User], tuple[str, dict[str, Any]]]] = {
    "delete": lambda person: (f"/guarded/auth/user/{person.pk}/delete/", {"post": "yes"}),
    "delete by the action": lambda person: (
        "/guarded/auth/user/",
        {"post": "yes", "action": "delete_selected", "_selected_action": [str(person.pk)]},
    ),
    "demote by an action": lambda person: selected(person, "demote"),
    "disable by an action": lambda person: selected(person, "disable"),
    "disable in bulk by an action": lambda person: selected(person, "disable_each"),
    "demote": lambda person: (
        f"/guarded/auth/user/{person.pk}/change/",
        {
            "username": "root",
            "is_active": "on",
            "is_staff": "on",
            "date_joined_0": "2026-11-30",
            "date_joined_1": "9:00",
        },
    ),
    "disable": lambda person: (
        f"/guarded/auth/user/{person.pk}/change/",
        {"username": "root", "is_superuser": "on", "date_joined_0": "2026-11-30", "date_joined_1": "9:00"},
    ),
}


@pytest.fixture
def root_browser(settings: Any) -> Browser:
    settings.ROOT_URLCONF = "guarded_urls"
    return browser_of(User.objects.create_superuser("root"))


@pytest.mark.django_db(transaction=True)  # Django's action has no transaction that a test could roll back
@pytest.mark.parametrize("page", PAGES)
def test_djangos_admin_pages_say_why_the_last_administrator_stays(page: str, root_browser: Browser) -> None:
    root = User.objects.get(username="root")
    address, form = PAGES[page](root)

    answer = root_browser.post(address, form)

    assert answer.status_code == 302
    assert [str(message) for message in get_messages(answer.wsgi_request)] == [MESSAGE]
    assert MESSAGE in root_browser.get(answer.headers["Location"]).content.decode()
    assert again(root).is_active
    assert again(root).is_superuser


@pytest.mark.django_db(transaction=True)
def test_the_log_of_djangos_admin_has_no_entry_of_a_refused_deletion(root_browser: Browser) -> None:
    address, form = PAGES["delete by the action"](User.objects.get(username="root"))

    root_browser.post(address, form)

    assert not LogEntry.objects.exists()
    alice = User.objects.create_user("alice")
    root_browser.post(address, {**form, "_selected_action": [str(alice.pk)]})
    assert [entry.object_id for entry in LogEntry.objects.all()] == [str(alice.pk)]
    assert not User.objects.filter(pk=alice.pk).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", ["role", "assignment"])
def test_the_log_of_our_admin_has_no_entry_of_a_refused_deletion(model: str, manager_of: Manager) -> None:
    """The last role manager deletes their own role, or revokes it."""
    carol = manager_of("carol")
    User.objects.filter(pk=carol.pk).update(is_staff=True)
    rows = Role.objects.all() if model == "role" else Assignment.objects.all()
    form = {"post": "yes", "action": "delete_selected", "_selected_action": [str(row.pk) for row in rows]}

    answer = browser_of(again(carol)).post(f"/admin/auth_rbac/{model}/", form, follow=True)

    assert MESSAGE in answer.content.decode()
    assert rows.count() == 1
    assert not LogEntry.objects.exists()


def delete_each_other(number: int) -> list[Any]:
    """Return the concurrent acts of two superusers."""
    people = two_superusers(number)
    return [people[1].delete, people[0].delete]


def two_superusers(number: int) -> list[User]:
    """Return the only two superusers of a round."""
    people = [User.objects.create_superuser(f"root {number} {name}") for name in "ab"]
    User.objects.exclude(pk__in=[person.pk for person in people]).update(is_superuser=False)
    return people


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", [4, pytest.param(ROUNDS, marks=pytest.mark.races)])
def test_two_superusers_who_delete_each_other_leave_one(rounds: int) -> None:
    one_winner(delete_each_other, refusal={"last_administrator"}, rounds=rounds)

    assert User.objects.filter(is_superuser=True).count() == 1


def update_each_other(number: int) -> list[Any]:
    """Return the concurrent acts of two superusers, each one statement without a signal."""
    one, other = (User.objects.filter(pk=person.pk) for person in two_superusers(number))
    return [
        lambda: refused_or(lambda: other.update(is_active=False)),
        lambda: refused_or(lambda: one.update(is_superuser=False)),
    ]


def save_each_other(number: int) -> list[Any]:
    """Return the concurrent acts of two superusers outside a transaction: the signal comes before the statement."""
    one, other = two_superusers(number)
    return [
        lambda: refused_or(lambda: save(other, is_active=False)),
        lambda: refused_or(lambda: save(one, is_superuser=False)),
    ]


def refused_or(statement: Callable[[], Any]) -> Any:
    """Run *statement*, and raise the refusal that the API would answer with."""
    try:
        return statement()
    except IntegrityError as error:
        raise error_of(error) or error from error


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("acts", [update_each_other, save_each_other])
@pytest.mark.parametrize("rounds", [4, pytest.param(ROUNDS, marks=pytest.mark.races)])
def test_two_superusers_who_update_each_other_leave_one(rounds: int, acts: Callable[[int], list[Any]]) -> None:
    one_winner(acts, refusal={"last_administrator"}, rounds=rounds)

    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1
