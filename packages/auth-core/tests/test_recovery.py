"""Password reset and password change."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import connection, transaction
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from auth_core.events import AuthEvent, Event, record
from auth_core.models import EmailAddress, ResetLink
from auth_core.people.locking import LockReason, disable_account, lock_account, unlock_account
from auth_core.testing.browsers import code_of, log_in, logged_in, new_browser, post
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import delivered, link_in, the_mail, token_in
from conftest import DOUBLES

pytestmark = pytest.mark.django_db

NEW = "another battery horse staple"


@pytest.fixture
def token(alice: Any, browser: Browser) -> str:
    """The token of a reset link for alice."""
    post(browser, "password/forgot", email="alice@example.org")
    return token_in(the_mail())


def reset(browser: Browser, token: str, password: str = NEW) -> Any:
    return post(browser, "password/reset", token=token, password=password)


def change(browser: Browser, current: str = PASSWORD, new: str = NEW) -> Any:
    return post(browser, "password/change", current_password=current, new_password=new)


@pytest.mark.asvs("6.4.1")
def test_a_reset_link_sets_a_password_without_signing_in(token: str, browser: Browser, events: list[Event]) -> None:
    done = reset(browser, token)

    assert (done.status_code, done.json()) == (200, {"status": "reset"})
    assert browser.get("/api/v1/me/").status_code == 401
    assert log_in(browser).status_code == 401
    assert log_in(browser, password=NEW).status_code == 200
    assert AuthEvent.PASSWORD_RESET in [event.name for event in events]
    assert "reset" in the_mail().subject


@pytest.mark.asvs("6.4.3")
def test_a_reset_still_requires_the_second_factor(token: str, browser: Browser, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": [f"{DOUBLES}.CodeStep"]}
    reset(browser, token)

    assert log_in(browser, password=NEW).status_code == 202


@pytest.mark.parametrize("close", [disable_account, lock_account])
def test_a_reset_does_not_enable_a_disabled_account(close: Any, alice: Any, token: str, browser: Browser) -> None:
    close(user=alice)

    assert code_of(reset(browser, token)) == "link_invalid"
    post(browser, "password/forgot", email="alice@example.org")
    assert [message for message in delivered() if "elr_" in message.body] == []
    assert log_in(browser, password=NEW).status_code == 401


@pytest.mark.parametrize("change_of", ["password", "address", "factor", "reset", "time", "truncated"])
def test_a_reset_link_is_invalid_after_the_account_changed(
    change_of: str, alice: Any, token: str, browser: Browser
) -> None:
    later = timedelta(0)
    if change_of == "password":
        change(logged_in(), PASSWORD, "a third battery horse staple")
    elif change_of == "address":
        EmailAddress.objects.filter(user=alice).update(key="alice@elsewhere.example")
        get_user_model().objects.update(email="alice@elsewhere.example")
    elif change_of == "factor":
        with transaction.atomic():
            record(Event(name=AuthEvent.FACTOR_ADDED, subject=alice, data={"method": "totp"}))
    elif change_of == "reset":
        post(browser, "password/forgot", email="alice@example.org")
        reset(browser, token_in(the_mail()), "a third battery horse staple")
    elif change_of == "time":
        later = timedelta(hours=1, seconds=1)
    else:
        token = token[:-2]
    before = get_user_model().objects.get().password

    with time_machine.travel(timezone.now() + later, tick=False):
        refused = reset(browser, token)

    assert (refused.status_code, code_of(refused)) == (400, "link_invalid")
    assert get_user_model().objects.get().password == before


def test_a_refused_password_leaves_the_link_valid(token: str, browser: Browser) -> None:
    assert code_of(reset(browser, token, "short")) == "invalid_request"
    assert code_of(reset(browser, token, "alice alice alice")) == "invalid_request"
    assert reset(browser, token).status_code == 200


def test_a_password_that_changed_since_it_was_read_is_not_overwritten(
    alice: Any, token: str, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile = make_password("a third battery horse staple")

    def hash_while_another_changes(password: str) -> str:
        get_user_model().objects.update(password=meanwhile)
        return make_password(password)

    monkeypatch.setattr("auth_core.flows.password_reset.make_password", hash_while_another_changes)

    assert code_of(reset(browser, token)) == "link_invalid"
    assert get_user_model().objects.get().password == meanwhile


@pytest.mark.asvs("6.3.8")
def test_a_reset_request_does_not_reveal_accounts(alice: Any, browser: Browser) -> None:
    disabled = get_user_model().objects.create_user("carol@example.org", PASSWORD, is_active=False)
    answers, costs, mailed = set(), [], []
    for email in ("alice@example.org", disabled.email, "nobody@example.org"):
        with CaptureQueriesContext(connection) as queries:
            answer = post(browser, "password/forgot", email=email)
        answers.add((answer.status_code, answer.content))
        costs.append(len(queries))
        mailed.append(len(delivered()))

    assert len(answers) == 1
    assert len(set(costs)) == 1, costs
    assert mailed == [1, 0, 0]
    assert ResetLink.objects.count() == 3


def test_a_forged_host_is_not_in_the_link(alice: Any, browser: Browser, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    browser.post(
        "/api/v1/password/forgot/",
        {"email": "alice@example.org"},
        content_type="application/json",
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )

    message = the_mail()
    assert link_in(message).startswith("https://auth.example.org/password/reset/elr_")
    assert "evil" not in message.body


def test_following_the_link_verifies_the_address(browser: Browser) -> None:
    carol = get_user_model().objects.create_user("carol@example.org", PASSWORD)
    post(browser, "password/forgot", email="carol@example.org")

    reset(browser, token_in(the_mail()))

    assert EmailAddress.objects.get(user=carol).verified_at is not None


@pytest.mark.asvs("6.2.2")
@pytest.mark.asvs("6.2.3")
def test_a_password_is_changed_with_the_current_one(alice: Any) -> None:
    browser = logged_in()

    assert change(browser).status_code == 204

    assert browser.get("/api/v1/me/").status_code == 200
    assert log_in(new_browser()).status_code == 401
    assert log_in(new_browser(), password=NEW).status_code == 200
    assert "changed" in the_mail().subject


@pytest.mark.asvs("7.4.3")
def test_another_session_ends_with_the_password(alice: Any) -> None:
    here, elsewhere = logged_in(), logged_in()

    change(here)

    assert here.get("/api/v1/me/").status_code == 200
    assert elsewhere.get("/api/v1/me/").status_code == 401


@pytest.mark.asvs("6.2.3")
def test_guesses_at_the_current_password_are_limited(alice: Any) -> None:
    browser = logged_in()

    codes = [code_of(change(browser, "wrong", NEW)) for _guess in range(11)]

    assert codes == ["invalid_credentials"] * 10 + ["too_many_attempts"]
    assert log_in(new_browser()).status_code == 200


@pytest.mark.asvs("6.2.3")
@pytest.mark.parametrize(
    ("current", "new", "field"),
    [(PASSWORD, "short", "new_password"), (PASSWORD, PASSWORD, "new_password"), ("p" * 200, NEW, "current_password")],
)
def test_a_refused_change_changes_nothing(current: str, new: str, field: str, alice: Any) -> None:
    refused = change(logged_in(), current, new)

    assert (refused.status_code, code_of(refused)) == (400, "invalid_request")
    assert refused.json()["errors"][0]["field"] == field
    assert log_in(new_browser()).status_code == 200


def test_a_password_change_needs_a_session(alice: Any, browser: Browser) -> None:
    assert change(browser).status_code == 401


def test_a_wrong_current_password_counts_despite_atomic_requests(alice: Any, settings: Any) -> None:
    browser = logged_in()
    settings.DATABASES["default"]["ATOMIC_REQUESTS"] = True
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    try:
        codes = [code_of(change(browser, "wrong", NEW)) for _guess in range(11)]
    finally:
        connection.settings_dict["ATOMIC_REQUESTS"] = False

    assert codes[-1] == "too_many_attempts"


def test_a_reset_lifts_the_lock_of_a_reported_login(alice: Any, token: str, browser: Browser) -> None:
    lock_account(user=alice, reason=LockReason.NOT_ME)
    locked = log_in(browser).status_code

    post(browser, "password/forgot", email="alice@example.org")
    done = reset(browser, token_in(the_mail()))

    assert (locked, done.status_code) == (401, 200)
    assert browser.get("/api/v1/me/").status_code == 401
    assert log_in(browser, password=NEW).status_code == 200


def test_an_administrators_lock_replaces_one_that_a_reset_lifts(alice: Any, token: str, browser: Browser) -> None:
    lock_account(user=alice, reason=LockReason.NOT_ME)

    locked = lock_account(user=alice)
    again = lock_account(user=alice, reason=LockReason.NOT_ME)

    assert (locked, again) == (True, False)
    assert code_of(reset(browser, token)) == "link_invalid"


def test_an_unlocked_person_has_no_lock_reason(alice: Any, browser: Browser) -> None:
    lock_account(user=alice, reason=LockReason.NOT_ME)

    unlocked = unlock_account(user=alice)
    alice.auth_identity.refresh_from_db()

    assert unlocked
    assert (alice.auth_identity.locked_at, alice.auth_identity.lock_reason) == (None, "")
    assert log_in(browser).status_code == 200


def test_a_reset_does_not_admit_a_disabled_person_who_reported_a_login(
    alice: Any, token: str, browser: Browser
) -> None:
    lock_account(user=alice, reason=LockReason.NOT_ME)
    disable_account(user=alice)

    assert code_of(reset(browser, token)) == "link_invalid"
