"""Changes in the Django admin are recorded with old and new values, except secrets."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db.models.deletion import Collector
from django.test import Client as Browser

from auth_audit.append import admin_diffs
from auth_audit.append.secret_fields import HIDDEN, is_secret
from auth_audit.testing.trail import recorded
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

    (entry,) = recorded("audit.object.changed")
    assert entry.changes == {"first_name": {"before": "", "after": "Alice"}}
    assert (entry.target_kind, entry.target_id) == ("auth.user", str(alice.pk))
    assert entry.actor_id == boss.auth_identity.subject_id  # type: ignore[attr-defined]  # created on first access


def test_saving_without_changes_is_not_recorded(browser_of_boss: Browser, alice: Any) -> None:
    User.objects.filter(pk=alice.pk).update(date_joined="2026-01-01T00:00:00Z")

    change_user(browser_of_boss, alice)

    assert recorded("audit.object.changed") == []


@pytest.mark.asvs("16.4.1")
@pytest.mark.parametrize("text", ["a\x1b[31m", "a\u2028b", '","forged":"', "x" * 150])
def test_text_from_the_admin_is_escaped_and_truncated(text: str, browser_of_boss: Browser, alice: Any) -> None:
    User.objects.filter(pk=alice.pk).update(date_joined="2026-01-01T00:00:00Z")

    change_user(browser_of_boss, alice, first_name=text)

    (entry,) = recorded("audit.object.changed")
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

    (added,), (deleted,) = recorded("audit.object.added"), recorded("audit.object.deleted")
    assert added.changes["name"] == {"before": None, "after": "editors"}
    assert deleted.changes["name"] == {"before": "editors", "after": None}
    assert deleted.severity == "warning"


def test_each_deletion_of_a_bulk_action_is_recorded(browser_of_boss: Browser) -> None:
    groups = [Group.objects.create(name=name) for name in ("editors", "readers")]
    chosen = {"action": "delete_selected", "_selected_action": [group.pk for group in groups], "post": "yes"}

    browser_of_boss.post("/admin/auth/group/", chosen)

    assert {entry.changes["name"]["before"] for entry in recorded("audit.object.deleted")} == {"editors", "readers"}


@pytest.mark.asvs("16.2.5")
def test_a_password_is_never_recorded(browser_of_boss: Browser, alice: Any) -> None:
    before = User.objects.get(pk=alice.pk).password

    form = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    browser_of_boss.post(f"/admin/auth/user/{alice.pk}/password/", form)

    (entry,) = recorded("audit.object.changed")
    assert entry.changes == {"password": {"before": HIDDEN, "after": HIDDEN}}
    recorded_text = str([vars(entry) for entry in recorded()])
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
