"""Creation and recovery of accounts with all packages: which sessions end, and what the trail records."""

from typing import Any

import pytest
from django.test import Client as Browser

from auth_audit.testing.trail import recorded
from auth_core.flows.account_creation import create_account
from auth_core.models import EmailAddress, Invitation
from auth_core.testing.browsers import log_in, post, sign_up, with_credential
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import code_in, delivered, the_mail, token_in
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

NEW = "another battery horse staple"


def with_token(password: str = PASSWORD) -> Browser:
    """Return a client with the credential of a session."""
    return with_credential(log_in(Browser(), password=password, transport="token"))


def names() -> list[str]:
    return [entry.name for entry in recorded()]


def test_the_trail_records_sign_up_and_login(browser: Browser) -> None:
    sign_up(browser, "alice@example.org")
    verified = post(browser, "email/verify", email="alice@example.org", code=code_in(the_mail()))
    granted = log_in(browser, transport="token")

    assert (verified.status_code, granted.status_code) == (200, 200)
    assert granted.json()["user"]["email_verified"] is True
    assert names() == [
        "auth.signup.requested",
        "auth.account.created",
        "auth.email.verified",
        "auth.login.started",
        "session.session.opened",
        "session.device.added",
        "auth.login.succeeded",
    ]


@pytest.mark.asvs("7.4.3")
def test_a_password_change_keeps_only_the_current_session(alice: Any) -> None:
    here, elsewhere = with_token(), with_token()

    changed = post(here, "password/change", current_password=PASSWORD, new_password=NEW)

    assert changed.status_code == 204
    assert (here.get("/api/v1/me/").status_code, elsewhere.get("/api/v1/me/").status_code) == (200, 401)
    assert [session.ended_reason for session in Session.objects.exclude(ended_at=None)] == ["password_changed"]
    assert names()[-2:] == ["session.session.ended", "auth.password.changed"] or "auth.password.changed" in names()


def test_a_reset_ends_every_session_and_notifies_the_user(alice: Any, browser: Browser) -> None:
    caller = with_token()
    post(browser, "password/forgot", email="alice@example.org")
    reset = post(browser, "password/reset", token=token_in(the_mail()), password=NEW)

    assert reset.status_code == 200
    assert caller.get("/api/v1/me/").status_code == 401
    assert "reset" in the_mail().subject
    assert log_in(Browser(), password=NEW, transport="token").status_code == 200
    assert "auth.password.reset_requested" in names()
    assert "auth.password.reset" in names()


def test_an_invalid_link_changes_nothing(alice: Any, browser: Browser) -> None:
    before = len(recorded())

    refused = post(browser, "password/reset", token="elr_" + "x" * 43, password=NEW)

    assert refused.json()["code"] == "link_invalid"
    assert len(recorded()) == before
    assert delivered() == []


@pytest.fixture
def admin(db: None) -> Browser:
    """The browser of an administrator, in the admin site."""
    user = create_account(email="admin@example.org", password=PASSWORD, verified=True, superuser=True)
    return sign_in(user, assurance="aal2")


def test_an_administrator_invites_and_withdraws_the_invitation(admin: Browser) -> None:
    invited = admin.post("/admin/auth_core/invitation/add/", {"address": "Bob@example.org"})
    message = the_mail()
    invitation = Invitation.objects.get()

    assert invited.status_code == 302
    assert message.to == ["Bob@example.org"]
    assert invitation.invited_by is not None
    body = {"action": "withdraw", "_selected_action": [str(invitation.pk)]}
    admin.post("/admin/auth_core/invitation/", body)
    assert post(Browser(), "invitations/accept", token=token_in(message), password=NEW).status_code == 400
    assert names()[-2:] == ["auth.invitation.sent", "auth.invitation.withdrawn"]


@pytest.mark.parametrize("address", ["none", "b" * 400, ""])
def test_an_invalid_address_is_not_invited(address: str, admin: Browser) -> None:
    admin.post("/admin/auth_core/invitation/add/", {"address": address})

    assert not Invitation.objects.exists()
    assert delivered() == []


@pytest.mark.asvs("6.4.6")
def test_an_administrator_starts_a_reset_without_choosing_the_password(admin: Browser, alice: Any) -> None:
    body = {"action": "mail_reset_link", "_selected_action": [str(alice.auth_identity.pk)]}
    admin.post("/admin/auth_core/identity/", body)

    entry = recorded("auth.password.reset_requested")[0]
    assert entry.subject_id == alice.auth_identity.subject_id != entry.actor_id
    reset = post(Browser(), "password/reset", token=token_in(the_mail()), password=NEW)
    assert reset.status_code == 200
    assert 'name="password' not in admin.get(f"/admin/auth_accounts/user/{alice.pk}/change/").content.decode()


def test_the_admin_pages_show_no_secret(admin: Browser, alice: Any) -> None:
    post(Browser(), "password/forgot", email="alice@example.org")
    pages = ["outboxmessage/", "invitation/", "invitation/add/", "emailaddress/"]

    texts = [admin.get(f"/admin/auth_core/{page}") for page in pages]

    assert {page.status_code for page in texts} == {200}
    assert not any("elr_" in page.content.decode() for page in texts)
    assert EmailAddress.objects.count() == 2
