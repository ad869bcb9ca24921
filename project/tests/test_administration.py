"""Disabling, locking and reopening accounts by administrators."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser

from auth_audit.testing.trail import recorded
from auth_core.flows.account_creation import create_account
from auth_core.people.locking import disable_account
from auth_core.testing.factories import PASSWORD
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))


def with_two_factors(user: Any) -> Browser:
    return sign_in(user, assurance="aal2")


@pytest.fixture
def admin(db: None) -> Any:
    return create_account(email="admin@example.org", password=PASSWORD, verified=True, superuser=True)


def act(browser: Browser, action: str, user: Any) -> Any:
    body = {"action": action, "_selected_action": [str(user.auth_identity.pk)]}
    return browser.post("/admin/auth_core/identity/", body)


@pytest.mark.asvs("7.4.5")
def test_an_administrator_disables_an_account_and_its_sessions_end(admin: Any, alice: Any) -> None:
    of_alice, browser = with_two_factors(alice), with_two_factors(admin)

    act(browser, "disable", alice)

    assert of_alice.get("/api/v1/me/").status_code == 401
    assert Session.objects.get(user=alice).ended_reason == "account_disabled"
    entry = recorded("auth.account.disabled")[0]
    assert (entry.subject_id, entry.actor_id) == (alice.auth_identity.subject_id, admin.auth_identity.subject_id)


def test_a_lock_refuses_and_an_unlock_admits_again(admin: Any, alice: Any) -> None:
    of_alice, browser = with_two_factors(alice), with_two_factors(admin)

    act(browser, "lock", alice)
    assert of_alice.get("/api/v1/me/").status_code == 401
    act(browser, "unlock", alice)

    assert with_two_factors(alice).get("/api/v1/me/").status_code == 200
    names = [entry.name for entry in recorded() if entry.name.startswith("auth.account.")]
    assert names[-2:] == ["auth.account.locked", "auth.account.unlocked"]


def test_a_repeated_change_is_not_recorded_again(alice: Any) -> None:
    assert disable_account(user=alice)
    assert not disable_account(user=alice)

    assert len(recorded("auth.account.disabled")) == 1


@pytest.mark.asvs("8.2.3")
def test_staff_cannot_make_themselves_superusers(alice: Any) -> None:
    alice.is_staff = True
    alice.save()
    alice.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))

    with_two_factors(alice).post(
        f"/admin/auth_accounts/user/{alice.pk}/change/", {"is_superuser": "on", "is_staff": "on"}
    )

    alice.refresh_from_db()
    assert not alice.is_superuser


@pytest.mark.asvs("6.4.6")
def test_the_admin_neither_shows_nor_sets_a_password(admin: Any, alice: Any) -> None:
    page = with_two_factors(admin).get(f"/admin/auth_accounts/user/{alice.pk}/change/").content.decode()

    assert "argon2" not in page
    assert 'name="password"' not in page
