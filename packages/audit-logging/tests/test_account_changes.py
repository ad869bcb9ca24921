"""Accounts and rights that a site changes in Django's own ways leave an entry."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client as Browser

from auth_audit.models import AuditEntry
from auth_audit.testing.trail import recorded
from auth_core.flows.account_creation import create_account
from auth_core.testing.browsers import post
from auth_core.testing.counts import counted
from auth_core.testing.factories import PASSWORD, make_administrator, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.asvs("16.3.1")]


def permission(codename: str) -> Permission:
    return Permission.objects.get(codename=codename)


def the_change(name: str = "audit.rights.changed") -> AuditEntry:
    """Return the only entry of this name since the accounts were made."""
    (entry,) = recorded(name)
    return entry


def gained(field: str, *names: str) -> dict[str, Any]:
    return {field: {"added": list(names), "removed": []}}


def lost(field: str, *names: str) -> dict[str, Any]:
    return {field: {"added": [], "removed": list(names)}}


@pytest.fixture
def editors() -> Group:
    return Group.objects.create(name="editors")


def test_createsuperuser_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    model = get_user_model()
    names = {model.USERNAME_FIELD: "root@example.org", **dict.fromkeys(model.REQUIRED_FIELDS, "root@example.org")}

    call_command("createsuperuser", interactive=False, verbosity=0, **names)

    root = get_user_model().objects.get()
    entry = the_change("audit.account.created")
    assert entry.subject_id == root.auth_identity.subject_id
    assert entry.changes["is_superuser"] == {"before": None, "after": True}
    assert PASSWORD not in str(vars(entry))


def test_changepassword_is_recorded(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("getpass.getpass", lambda *_args, **_named: "another battery horse staple")

    call_command("changepassword", alice.get_username(), verbosity=0)

    entry = the_change("audit.password.set")
    assert (entry.subject_id, entry.changes) == (alice.auth_identity.subject_id, {})


def test_a_hash_that_a_login_renews_is_no_new_password(alice: Any, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher", *settings.PASSWORD_HASHERS]

    assert alice.check_password(PASSWORD)

    alice.refresh_from_db()
    assert alice.password.startswith("pbkdf2")
    assert recorded("audit.password.set") == []


@pytest.mark.parametrize("flag", ["is_staff", "is_superuser", "is_active"])
def test_a_changed_flag_is_recorded(flag: str, alice: Any) -> None:
    before = getattr(alice, flag)
    setattr(alice, flag, not before)
    alice.save(update_fields=[flag])

    entry = the_change()
    assert entry.subject_id == alice.auth_identity.subject_id
    assert entry.changes == {flag: {"before": before, "after": not before}}


def test_a_login_that_writes_last_login_makes_no_query_and_no_entry(alice: Any) -> None:
    with counted() as counts:
        alice.save(update_fields=["last_login"])

    assert counts.queries == 1
    assert recorded("audit.rights.changed") == []


def test_set_of_groups_is_recorded_as_what_was_gained_and_lost(alice: Any, editors: Group) -> None:
    alice.groups.add(editors)
    alice.groups.set([Group.objects.create(name="readers")])

    changes = [entry.changes for entry in recorded("audit.rights.changed")]
    assert changes == [
        gained("groups", "editors"),
        lost("groups", "editors"),
        gained("groups", "readers"),
    ]
    assert {entry.subject_id for entry in recorded("audit.rights.changed")} == {alice.auth_identity.subject_id}


def test_a_cleared_relation_is_recorded(alice: Any, editors: Group) -> None:
    alice.groups.add(editors)
    alice.groups.clear()

    assert recorded("audit.rights.changed")[-1].changes == lost("groups", "editors")


def test_members_added_from_the_side_of_the_group_are_each_recorded(alice: Any, bob: Any, editors: Group) -> None:
    editors.user_set.set([alice, bob])

    entries = recorded("audit.rights.changed")
    assert {entry.subject_id for entry in entries} == {one.auth_identity.subject_id for one in (alice, bob)}
    assert {str(entry.changes) for entry in entries} == {str(gained("groups", "editors"))}


def test_permissions_of_a_person_are_recorded_by_name(alice: Any) -> None:
    alice.user_permissions.set([permission("add_group"), permission("view_auditentry")])

    assert the_change().changes == gained("user_permissions", "auth.add_group", "auth_audit.view_auditentry")


def test_permissions_of_a_group_are_recorded_with_the_group_as_target(editors: Group) -> None:
    editors.permissions.set([permission("add_group")])

    entry = the_change()
    assert (entry.subject_id, entry.target_kind, entry.target_id) == (None, "auth.group", str(editors.pk))
    assert entry.changes == gained("permissions", "auth.add_group")


def test_a_relation_that_does_not_change_is_not_recorded(alice: Any, editors: Group) -> None:
    alice.groups.set([])
    alice.groups.remove(editors)

    assert recorded("audit.rights.changed") == []


def test_deleted_accounts_are_recorded_one_by_one(alice: Any, bob: Any) -> None:
    ids = {one.auth_identity.subject_id for one in (alice, bob)}
    get_user_model().objects.all().delete()

    assert {entry.subject_id for entry in recorded("audit.account.deleted")} == ids


def test_an_account_without_a_public_id_is_recorded_by_its_key() -> None:
    model = get_user_model()
    person = model.objects.bulk_create([model(**{model.USERNAME_FIELD: "early"})])[0]
    key = person.pk
    person.delete()

    entry = the_change("audit.account.deleted")
    assert (entry.subject_id, entry.target_id) == (None, str(key))


def test_a_page_of_the_admin_is_recorded_once_and_names_the_administrator(alice: Any, editors: Group) -> None:
    boss = make_administrator("boss@example.org")
    browser = Browser()
    browser.force_login(boss)
    before = AuditEntry.objects.count()

    page = f"/admin/auth/user/{alice.pk}/change/"
    form = browser.get(page).context["adminform"].form.initial
    dates = {"date_joined_0": form["date_joined"].date(), "date_joined_1": form["date_joined"].time()}
    answer = browser.post(page, {**dates, "username": "alice", "is_active": "on", "groups": [editors.pk]})

    assert answer.status_code == 302
    entries = AuditEntry.objects.order_by("id")[before:]
    assert {entry.name for entry in entries} == {"audit.object.changed"}
    assert {entry.actor_id for entry in entries} == {boss.auth_identity.subject_id}


def test_functions_of_auth_core_record_their_own_events(browser_of_alice: Browser) -> None:
    create_account(email="bob@example.org", password="a password nobody guessed")
    changed = post(
        browser_of_alice, "password/change", current_password=PASSWORD, new_password="another battery horse staple"
    )

    assert changed.status_code == 204
    assert len(recorded("auth.account.created")) == 2
    assert len(recorded("auth.password.changed")) == 1
    assert recorded("audit.account.created") == recorded("audit.password.set") == []


def test_a_change_that_is_rolled_back_leaves_no_entry(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import transaction  # noqa: PLC0415 - beside its use

    make_user("carol@example.org")
    before = AuditEntry.objects.count()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        alice.groups.add(Group.objects.create(name="editors"))
        raise ZeroDivisionError

    assert AuditEntry.objects.count() == before
