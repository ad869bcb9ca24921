"""An actor grants no more than their own permissions and acts on no person with more."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.test.utils import isolate_apps

from auth_core import power_signals
from auth_core.authority import acting, authorities, check_group, check_held, check_over, check_service
from auth_core.errors import PermissionRefused
from auth_core.flows.password_reset import request_reset
from auth_core.models import Identity, ResetLink
from auth_core.people import locking
from auth_core.request.client import Client
from auth_core.testing.factories import make_administrator, make_user

pytestmark = pytest.mark.django_db

User: Any = get_user_model()


def permissions(*codenames: str) -> list[Permission]:
    matches = list(Permission.objects.filter(codename__in=codenames))
    assert len(matches) == len(codenames)
    return matches


def staff(email: str, *codenames: str) -> Any:
    """Create a staff user with these permissions through their own group."""
    person, group = make_user(email, is_staff=True), Group.objects.create(name=f"of {email}")
    group.permissions.set(permissions(*codenames))
    person.groups.add(group)
    return person


def own_group(person: Any) -> Group:
    return Group.objects.get(name=f"of {person.email}")


def state() -> dict[str, Any]:
    """Return all rows that the changes in this file could affect."""
    return {
        "people": list(User.objects.order_by("pk").values()),
        "groups": list(Group.objects.order_by("pk").values("pk", "name")),
        "of groups": sorted(Group.permissions.through.objects.values_list("group_id", "permission_id")),
        "members": sorted(User.groups.through.objects.values_list("user_id", "group_id")),
        "own": sorted(User.user_permissions.through.objects.values_list("user_id", "permission_id")),
        "vocabulary": list(Permission.objects.order_by("pk").values()),
        "kinds": list(ContentType.objects.order_by("pk").values()),
        "locks": list(Identity.objects.order_by("pk").values_list("locked_at", flat=True)),
        "links": ResetLink.objects.count(),
    }


@pytest.fixture
def root(db: None) -> Any:
    return make_administrator("root@example.org")


@pytest.fixture
def clerk(db: None) -> Any:
    """A staff user who may change users and groups."""
    return staff("clerk@example.org", "change_user", "change_group")


@pytest.fixture
def auditor(db: None) -> Any:
    """A staff user with a permission that the clerk lacks."""
    return staff("auditor@example.org", "view_permission")


@pytest.fixture(params=["disable_account", "enable_account", "lock_account", "unlock_account"])
def change_of_state(request: Any) -> Callable[..., bool]:
    """Each function that closes or opens an account."""
    change: Callable[..., bool] = getattr(locking, request.param)
    return change


# People


def test_an_account_with_more_permissions_cannot_be_closed_or_opened(
    change_of_state: Any, clerk: Any, root: Any, auditor: Any
) -> None:
    for person in (root, auditor):
        if change_of_state is locking.enable_account:
            locking.disable_account(user=person)
        if change_of_state is locking.unlock_account:
            locking.lock_account(user=person)
        before = state()

        with pytest.raises(PermissionRefused):
            change_of_state(user=person, actor=clerk)

        assert state() == before


def test_an_account_with_fewer_permissions_can_be_closed_and_opened(clerk: Any, alice: Any, root: Any) -> None:
    for actor in (clerk, root, None):
        assert locking.lock_account(user=alice, actor=actor)
        assert locking.unlock_account(user=alice, actor=actor)
        assert locking.disable_account(user=alice, actor=actor)
        assert locking.enable_account(user=alice, actor=actor)


def test_no_reset_link_is_sent_for_a_person_with_more_permissions(clerk: Any, root: Any) -> None:
    before, client = state(), Client(ip="192.0.2.1")

    with pytest.raises(PermissionRefused):
        request_reset(email="root@example.org", client=client, actor=clerk)

    assert state() == before
    request_reset(email="clerk@example.org", client=client, actor=root)
    assert ResetLink.objects.count() == 1


def test_permissions_are_read_from_the_database_and_not_from_the_instance(clerk: Any, alice: Any, auditor: Any) -> None:
    stale = User.objects.get(pk=clerk.pk)
    assert stale.has_perm("auth.change_group")
    clerk.groups.clear()
    alice.groups.add(own_group(auditor))
    in_memory = User(pk=clerk.pk, is_superuser=True, is_active=True)

    for actor in (stale, in_memory):
        with pytest.raises(PermissionRefused):
            check_over(actor, alice)


def test_a_disabled_person_keeps_the_rank_of_their_permissions(clerk: Any, root: Any, auditor: Any) -> None:
    for person in (root, auditor):
        locking.disable_account(user=person)

        with pytest.raises(PermissionRefused):
            check_over(clerk, User.objects.get(pk=person.pk))


def test_a_disabled_or_anonymous_actor_is_refused(root: Any, alice: Any) -> None:
    locking.disable_account(user=root)

    for actor in (root, AnonymousUser()):
        with pytest.raises(PermissionRefused):
            check_over(actor, alice)


def test_staff_rank_above_other_people(alice: Any, db: None) -> None:
    with pytest.raises(PermissionRefused):
        check_over(make_user(), make_user(is_staff=True))


def test_every_registered_authority_is_asked(clerk: Any, alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed:
        def holds(self, actor: Any, permissions: Any) -> bool:
            return False

        def covers_person(self, actor: Any, person: Any) -> bool:
            return False

        def covers_group(self, actor: Any, group: Any) -> bool:
            return False

        def covers_service(self, actor: Any, service_id: Any) -> bool:
            return False

    monkeypatch.setattr(authorities, "_entries", {"closed": Closed()})

    for check, of in (
        (check_over, alice),
        (check_group, own_group(clerk)),
        (check_held, permissions("change_group")),
        (check_service, uuid4()),
    ):
        check(None, of)
        with pytest.raises(PermissionRefused):
            check(clerk, of)


# Writes of an admin page

BEYOND = "delete_group"


def _add_to_own_group(clerk: Any, root: Any, auditor: Any) -> None:
    own_group(clerk).permissions.add(*permissions(BEYOND))


def _set_own_group(clerk: Any, root: Any, auditor: Any) -> None:
    own_group(clerk).permissions.set(Permission.objects.all())


def _add_the_group_to_the_permission(clerk: Any, root: Any, auditor: Any) -> None:
    permissions(BEYOND)[0].group_set.add(own_group(clerk))


def _add_a_row_of_the_table(clerk: Any, root: Any, auditor: Any) -> None:
    (beyond,) = permissions(BEYOND)
    Group.permissions.through(group=own_group(clerk), permission=beyond).save()


def _change_a_row_of_the_table(clerk: Any, root: Any, auditor: Any) -> None:
    row = Group.permissions.through.objects.filter(group=own_group(clerk)).first()
    row.permission = permissions(BEYOND)[0]
    row.save()


def _delete_a_row_of_the_table(clerk: Any, root: Any, auditor: Any) -> None:
    User.groups.through.objects.get(user=auditor).delete()


def _clear_another_group(clerk: Any, root: Any, auditor: Any) -> None:
    own_group(auditor).permissions.clear()


def _clear_the_members(clerk: Any, root: Any, auditor: Any) -> None:
    own_group(auditor).user_set.clear()


def _rename_another_group(clerk: Any, root: Any, auditor: Any) -> None:
    group = own_group(auditor)
    group.name = "harmless"
    group.save()


def _delete_another_group(clerk: Any, root: Any, auditor: Any) -> None:
    Group.objects.filter(pk=own_group(auditor).pk).delete()


def _join(clerk: Any, root: Any, auditor: Any) -> None:
    clerk.groups.add(own_group(auditor))


def _be_added_to_a_group(clerk: Any, root: Any, auditor: Any) -> None:
    own_group(auditor).user_set.add(clerk)


def _put_a_superuser_in_a_group(clerk: Any, root: Any, auditor: Any) -> None:
    root.groups.add(own_group(clerk))


def _grant_oneself(clerk: Any, root: Any, auditor: Any) -> None:
    clerk.user_permissions.set(permissions(BEYOND))


def _grant_a_superuser(clerk: Any, root: Any, auditor: Any) -> None:
    root.user_permissions.set(permissions("change_group"))


def _make_oneself_superuser(clerk: Any, root: Any, auditor: Any) -> None:
    clerk.is_superuser = True
    clerk.save()


def _make_oneself_superuser_by_one_column(clerk: Any, root: Any, auditor: Any) -> None:
    clerk.is_superuser = True
    clerk.save(update_fields=["is_superuser"])


def _make_a_superuser(clerk: Any, root: Any, auditor: Any) -> None:
    User(email="new@example.org", is_superuser=True).save()


def _set_a_password(clerk: Any, root: Any, auditor: Any) -> None:
    root.set_password("another password of mine")
    root.save()


def _change_an_address(clerk: Any, root: Any, auditor: Any) -> None:
    auditor.email = "mine@example.org"
    auditor.save()


def _disable(clerk: Any, root: Any, auditor: Any) -> None:
    auditor.is_active = False
    auditor.save()


def _demote_a_superuser(clerk: Any, root: Any, auditor: Any) -> None:
    root.is_superuser = False
    root.save()


def _delete(clerk: Any, root: Any, auditor: Any) -> None:
    User.objects.filter(pk__in=[root.pk, auditor.pk]).delete()


def _rename_a_permission(clerk: Any, root: Any, auditor: Any) -> None:
    permission = permissions("change_group")[0]
    permission.codename = "delete_everything"
    permission.save()


def _make_a_permission(clerk: Any, root: Any, auditor: Any) -> None:
    kind = ContentType.objects.get_for_model(Group)
    Permission.objects.create(codename="new", name="new", content_type=kind)


def _delete_a_permission(clerk: Any, root: Any, auditor: Any) -> None:
    permissions("view_permission")[0].delete()


def _rename_a_content_type(clerk: Any, root: Any, auditor: Any) -> None:
    kind = ContentType.objects.get_for_model(Group)
    kind.model = "nothing"
    kind.save()


WRITES = [write for name, write in list(globals().items()) if name.startswith("_") and callable(write)]


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__.strip("_"))
def test_a_write_beyond_the_actors_permissions_is_refused(write: Any, clerk: Any, root: Any, auditor: Any) -> None:
    before = state()

    with pytest.raises(PermissionRefused), transaction.atomic(), acting(User.objects.get(pk=clerk.pk)):
        write(clerk, root, auditor)

    assert state() == before


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.__name__.strip("_"))
@pytest.mark.parametrize("is_site", [False, True], ids=["a superuser", "the site itself"])
def test_a_superuser_and_the_site_itself_may_write_everything(
    is_site: bool, write: Any, clerk: Any, root: Any, auditor: Any
) -> None:
    before = state()

    if is_site:
        write(clerk, root, auditor)
    else:
        with acting(make_administrator("chief@example.org")):
            write(clerk, root, auditor)

    assert state() != before


def test_an_administrator_grants_and_revokes_own_permissions(clerk: Any, alice: Any) -> None:
    group = Group.objects.create(name="juniors")
    own = permissions("change_user")

    with acting(clerk):
        group.permissions.set(own)
        alice.groups.add(group)
        alice.user_permissions.set(own)
        alice.is_staff = True
        alice.display_name = "Alice"
        alice.save()
        group.name = "seniors"
        group.save()
        group.permissions.clear()
        alice.groups.clear()
        group.delete()
        alice.delete()

    assert not User.objects.filter(email="alice@example.org").exists()


def test_saving_without_a_change_is_allowed(clerk: Any, root: Any) -> None:
    with acting(clerk):
        root.save()
        root.groups.set([])
        root.save(update_fields=["last_login"])


@isolate_apps("auth_core.accounts")
def test_a_proxy_of_the_user_model_is_guarded_too(clerk: Any, root: Any, auditor: Any) -> None:
    class Colleague(User):  # type: ignore[misc]  # the class is only known at run time
        class Meta:
            app_label = "auth_accounts"
            proxy = True

    power_signals.connect()
    before, themselves = state(), Colleague._base_manager.get(pk=clerk.pk)
    themselves.is_superuser = True

    with acting(clerk):
        with pytest.raises(PermissionRefused):
            themselves.save()
        with pytest.raises(PermissionRefused), transaction.atomic():
            Colleague._base_manager.get(pk=root.pk).delete()

    assert state() == before
