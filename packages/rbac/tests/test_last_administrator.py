"""The last administrator stays, whichever model, statement or admin page would remove them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.messages import get_messages
from django.db import transaction
from django.test import Client as Browser

from auth_core.testing.parallel import ROUNDS, one_winner
from auth_rbac.errors import LastAdministrator
from conftest import again, browser_of
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


#: Forms of Django's own admin pages for people.
PAGES: dict[str, Callable[[User], tuple[str, dict[str, Any]]]] = {
    "delete": lambda person: (f"/guarded/auth/user/{person.pk}/delete/", {"post": "yes"}),
    "delete by the action": lambda person: (
        "/guarded/auth/user/",
        {"post": "yes", "action": "delete_selected", "_selected_action": [str(person.pk)]},
    ),
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


def delete_each_other(number: int) -> list[Any]:
    """Return the concurrent acts of two superusers."""
    User.objects.filter(is_superuser=True).update(is_superuser=False)
    people = [User.objects.create_superuser(f"root {number} {name}") for name in "ab"]
    return [people[1].delete, people[0].delete]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rounds", [4, pytest.param(ROUNDS, marks=pytest.mark.races)])
def test_two_superusers_who_delete_each_other_leave_one(rounds: int) -> None:
    one_winner(delete_each_other, refusal={"last_administrator"}, rounds=rounds)

    assert User.objects.filter(is_superuser=True).count() == 1
