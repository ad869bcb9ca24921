"""Changes in the Django admin are recorded with old and new values, except secrets."""

import subprocess
import sys
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db.models.deletion import Collector
from django.test import Client as Browser

from auth_audit.append import admin_diffs
from auth_audit.personal.readable_entry import read_one
from auth_audit.personal.secret_fields import HIDDEN, is_secret
from auth_audit.storage.personal_keys import drop_personal_keys
from auth_audit.testing.trail import readable, recorded
from auth_core.models import EmailAddress
from auth_core.people.lookup import identity_of
from auth_core.testing.factories import PASSWORD, make_administrator
from auth_core.testing.sessions import sign_in

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "another battery horse staple"


@pytest.fixture
def boss(db: None) -> User:
    user: User = make_administrator("boss@example.org")
    return user


@pytest.fixture
def browser_of_boss(boss: User) -> Browser:
    return sign_in(boss)


def form_of(user: User, **changes: Any) -> dict[str, Any]:
    return {
        "username": user.username, "first_name": user.first_name, "last_name": user.last_name, "email": user.email,
        "is_active": "on", "date_joined_0": "2025-12-31", "date_joined_1": "18:00:00", "last_login_0": "",
        "last_login_1": "", **changes,
    }  # fmt: skip


def change_user(browser_of_boss: Browser, user: User, **changes: Any) -> None:
    answer = browser_of_boss.post(f"/admin/auth/user/{user.pk}/change/", form_of(user, **changes))
    assert answer.status_code == 302, answer.content


def test_a_change_is_recorded_with_old_and_new_values(browser_of_boss: Browser, boss: User, alice: Any) -> None:
    User.objects.filter(pk=alice.pk).update(date_joined="2026-01-01T00:00:00Z")
    alice.refresh_from_db()

    change_user(browser_of_boss, alice, first_name="Alice")

    (read,) = readable("audit.object.changed")
    assert read.changes == {"first_name": {"before": "", "after": "Alice"}}
    assert read.entry.changes == {"first_name": None}
    assert (read.entry.target_kind, read.target_id) == ("auth.user", str(alice.pk))
    assert read.entry.subject_id == alice.auth_identity.subject_id
    assert read.entry.actor_id == boss.auth_identity.subject_id  # type: ignore[attr-defined]  # created on first access


def test_saving_without_changes_is_not_recorded(browser_of_boss: Browser, alice: Any) -> None:
    User.objects.filter(pk=alice.pk).update(date_joined="2026-01-01T00:00:00Z")

    change_user(browser_of_boss, alice)

    assert recorded("audit.object.changed") == []


@pytest.mark.asvs("16.4.1")
@pytest.mark.parametrize("text", ["a\x1b[31m", "a\u2028b", '","forged":"', "x" * 150])
def test_text_from_the_admin_is_escaped_and_truncated(text: str, browser_of_boss: Browser, alice: Any) -> None:
    User.objects.filter(pk=alice.pk).update(date_joined="2026-01-01T00:00:00Z")

    change_user(browser_of_boss, alice, first_name=text)

    (entry,) = readable("audit.object.changed")
    assert list(entry.changes) == ["first_name"]
    assert entry.changes["first_name"]["after"].isprintable()
    assert len(entry.changes["first_name"]["after"]) <= 500


def test_a_changed_relation_is_recorded(browser_of_boss: Browser, alice: Any) -> None:
    group = Group.objects.create(name="editors")
    User.objects.filter(pk=alice.pk).update(date_joined="2026-01-01T00:00:00Z")

    change_user(browser_of_boss, alice, groups=[group.pk])

    (entry,) = recorded("audit.object.changed")
    assert entry.changes == {"groups": {"added": [str(group.pk)], "removed": []}}


def test_a_change_at_the_end_of_a_long_text_is_recorded(boss: User) -> None:
    entry = LogEntry.objects.create(user=boss, action_flag=1, object_repr="x", change_message="x" * 600 + "a")
    before = admin_diffs._values(entry)
    entry.change_message = "x" * 600 + "b"

    changes = admin_diffs._changes(LogEntry, before, admin_diffs._values(entry))

    assert list(changes) == ["change_message"]


def test_additions_and_deletions_are_recorded(browser_of_boss: Browser) -> None:
    browser_of_boss.post("/admin/auth/group/add/", {"name": "editors"})
    group = Group.objects.get()
    browser_of_boss.post(f"/admin/auth/group/{group.pk}/delete/", {"post": "yes"})

    (added,), (deleted,) = readable("audit.object.added"), readable("audit.object.deleted")
    assert added.changes["name"] == {"before": None, "after": "editors"}
    assert deleted.changes["name"] == {"before": "editors", "after": None}
    assert deleted.entry.severity == "warning"


def test_each_deletion_of_a_bulk_action_is_recorded(browser_of_boss: Browser) -> None:
    groups = [Group.objects.create(name=name) for name in ("editors", "readers")]
    chosen = {"action": "delete_selected", "_selected_action": [group.pk for group in groups], "post": "yes"}

    browser_of_boss.post("/admin/auth/group/", chosen)

    assert {entry.changes["name"]["before"] for entry in readable("audit.object.deleted")} == {"editors", "readers"}


@pytest.mark.asvs("16.2.5")
def test_a_password_is_never_recorded(browser_of_boss: Browser, alice: Any) -> None:
    before = User.objects.get(pk=alice.pk).password

    form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    browser_of_boss.post(f"/admin/auth/user/{alice.pk}/password/", form)

    (entry,) = recorded("audit.object.changed")
    assert entry.changes == {"password": {"before": HIDDEN, "after": HIDDEN}}
    recorded_text = str([(vars(entry.entry), entry) for entry in readable()])
    assert not any(secret in recorded_text for secret in (NEW_PASSWORD, PASSWORD, before))


@pytest.mark.parametrize("name", ["password", "session_key", "api_token", "totp_secret", "code_digest", "key"])
def test_secret_fields_are_recognized(name: str) -> None:
    assert is_secret(User, name)


@pytest.mark.parametrize("name", ["first_name", "email", "is_superuser", "username"])
def test_other_fields_are_not_secret(name: str) -> None:
    assert not is_secret(User, name)


def test_changes_outside_the_admin_are_not_recorded(alice: Any) -> None:
    alice.first_name = "Alice"
    alice.save()

    assert recorded("audit.object.changed") == []
    assert Collector(using="default").can_fast_delete(Group.permissions.through.objects.all())  # type: ignore[attr-defined]  # missing in Django's stubs
    assert admin_diffs._active_requests == 0


def test_recording_ends_after_an_error(browser_of_boss: Browser) -> None:
    browser_of_boss.post("/admin/auth/group/add/", {"name": ""})
    browser_of_boss.post("/admin/auth/group/999/change/", {"name": "x"})

    assert admin_diffs._active_requests == 0
    assert admin_diffs._recording.get() is None


def test_a_change_that_cannot_be_recorded_is_rolled_back(browser_of_boss: Browser, settings: Any) -> None:
    browser_of_boss.raise_request_exception = False
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {}}

    answer = browser_of_boss.post("/admin/auth/group/add/", {"name": "editors"})

    assert answer.status_code == 500
    assert not Group.objects.exists()


def test_a_user_deleted_in_the_admin_can_be_erased(browser_of_boss: Browser) -> None:
    victim = User.objects.create_user("victim", email="victim@example.org")

    browser_of_boss.post(f"/admin/auth/user/{victim.pk}/delete/", {"post": "yes"})

    (deleted,) = (entry for entry in readable("audit.object.deleted") if entry.entry.target_kind == "auth.user")
    assert deleted.changes["email"] == {"before": "victim@example.org", "after": None}
    assert deleted.entry.subject_id is not None
    drop_personal_keys(person=deleted.entry.subject_id)
    assert read_one(deleted.entry).changes["email"] is None
    assert not User.objects.filter(pk=victim.pk).exists()


def test_a_user_whose_object_is_deleted_in_the_admin_keeps_the_public_id_of_the_entry(boss: User) -> None:
    owner = User.objects.create_user("owner")
    address = EmailAddress.objects.create(user=owner, address="owner@example.org", key="owner@example.org")

    with admin_diffs.recording_changes(site.get_model_admin(EmailAddress), boss):
        address.delete()

    (deleted,) = readable("audit.object.deleted")
    assert deleted.entry.subject_id == identity_of(User.objects.get(pk=owner.pk)).subject_id
    assert deleted.changes["address"] == {"before": "owner@example.org", "after": None}


def test_a_site_without_the_admin_starts() -> None:
    program = """
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework", "auth_core", "auth_audit"],
    SECRET_KEY="s" * 50,
)
django.setup()
"""

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stderr
