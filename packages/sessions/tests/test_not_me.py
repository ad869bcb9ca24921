"""The mail about a new device, and the this-was-not-me link."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser

from auth_core.errors import LinkInvalid
from auth_core.events import AuthEvent, Event
from auth_core.models import OutboxMessage
from auth_core.people.locking import LockReason, disable_account, lock_account, unlock_account
from auth_core.request.client import Client
from auth_core.testing.browsers import code_of, log_in, new_browser, post
from auth_core.testing.factories import make_user
from auth_core.testing.mails import delivered, link_in, the_mail, token_in
from auth_core.testing.sessions import begin
from auth_core.testing.settings import redis_url
from auth_sessions import devices
from auth_sessions.events import SessionEvent
from auth_sessions.models import Device, NotMeLink, Session
from auth_sessions.not_me import revoke_by_link

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
SITE = "https://auth.example.org"


@pytest.fixture(autouse=True)
def public_url(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PUBLIC_URL": SITE, "OUTBOX_RELAY": "manual"}


@pytest.fixture
def thief(alice: Any) -> Browser:
    """A browser of someone who knows alice's password. It is new to her account."""
    log_in(new_browser())
    browser = new_browser()
    browser.defaults["HTTP_USER_AGENT"] = FIREFOX
    log_in(browser)
    return browser


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/api/v1/me/").status_code == 200


def report_not_me(token: str) -> Any:
    return post(new_browser(), "devices/not-me", token=token)


def test_no_mail_is_sent_about_the_first_device_of_an_account(alice: Any) -> None:
    log_in(new_browser())

    assert delivered() == []


def test_no_mail_is_sent_about_a_known_browser(alice: Any) -> None:
    browser = new_browser()
    log_in(browser)

    again = new_browser()
    again.cookies["__Host-device"] = browser.cookies["__Host-device"].value
    log_in(again)

    assert delivered() == []


def test_the_new_device_mail_has_time_address_device_and_link(thief: Browser) -> None:
    message = the_mail()

    assert message.to == ["alice@example.org"]
    assert "Firefox, Linux" in message.body
    assert "From: 127.0.0.1" in message.body
    assert "When: " in message.body
    assert link_in(message).startswith(f"{SITE}/not-me/eln_")
    assert link_in(message) in message.alternatives[0].content


def test_the_outbox_holds_no_secret_in_plain_text(thief: Browser) -> None:
    row = OutboxMessage.objects.values().get()

    assert "eln_" not in str(row)
    assert "alice@example.org" not in str(row)
    assert "Firefox" not in str(row)
    assert NotMeLink.objects.get().token_digest not in str(row)


def test_the_not_me_link_ends_all_sessions_and_locks_the_account(
    thief: Browser, alice: Any, recorded_events: list[Event]
) -> None:
    token = token_in(the_mail())
    device = Device.objects.latest("pk")

    done = report_not_me(token)

    assert (done.status_code, done.json()) == (200, {"status": "account_locked"})
    assert not is_signed_in(thief)
    assert not Session.objects.unended().exists()
    assert {session.ended_reason for session in Session.objects.all()} == {"device_blocked", "not_me"}
    device.refresh_from_db()
    assert device.blocked_at is not None
    assert Device.objects.filter(blocked_at=None).count() == 1
    assert log_in(new_browser()).status_code == 401
    assert {event.name for event in recorded_events} >= {
        AuthEvent.ACCOUNT_LOCKED, SessionEvent.DEVICE_BLOCKED, SessionEvent.LOGIN_REPORTED, AuthEvent.SESSION_ENDED,
    }  # fmt: skip


def test_the_not_me_link_signs_no_one_in(thief: Browser) -> None:
    browser = new_browser()

    done = post(browser, "devices/not-me", token=token_in(the_mail()))

    assert "sessionid" not in browser.cookies
    assert not is_signed_in(browser)
    assert set(done.json()) == {"status"}


def test_a_mail_explains_the_lock_and_a_password_reset_lifts_it(thief: Browser) -> None:
    report_not_me(token_in(the_mail()))
    notice = the_mail()

    browser = new_browser()
    post(browser, "password/forgot", email="alice@example.org")
    post(browser, "password/reset", token=token_in(the_mail()), password="another battery horse staple")

    assert f"{SITE}/password/forgot/" in notice.body
    assert log_in(new_browser()).status_code == 401
    assert log_in(new_browser(), password="another battery horse staple").status_code == 200
    again = new_browser()
    again.cookies["__Host-device"] = thief.cookies["__Host-device"].value
    assert code_of(log_in(again, password="another battery horse staple")) == "login_denied"


def test_an_administrator_lifts_the_lock(thief: Browser, alice: Any) -> None:
    report_not_me(token_in(the_mail()))

    unlock_account(user=alice, actor=make_user())

    assert log_in(new_browser()).status_code == 200


def test_the_not_me_link_does_not_replace_an_administrators_lock(thief: Browser, alice: Any) -> None:
    lock_account(user=alice)

    report_not_me(token_in(the_mail()))

    alice.auth_identity.refresh_from_db()
    assert alice.auth_identity.lock_reason == LockReason.ADMINISTRATOR


def test_pending_logins_are_closed(thief: Browser, alice: Any) -> None:
    bob = make_user()
    waiting = [begin(user) for user in (alice, bob)]

    report_not_me(next(token_in(message) for message in delivered() if message.to == ["alice@example.org"]))

    for login in waiting:
        login.refresh_from_db()
    assert [login.closed_at is None for login in waiting] == [False, True]


def test_a_not_me_link_works_once(thief: Browser, recorded_events: list[Event]) -> None:
    token = token_in(the_mail())

    answers = [report_not_me(token) for _twice in range(2)]

    assert [answer.status_code for answer in answers] == [200, 400]
    assert code_of(answers[1]) == "link_invalid"
    assert [event.name for event in recorded_events].count(SessionEvent.LOGIN_REPORTED) == 1


def test_a_not_me_link_expires_after_seven_days(thief: Browser, alice: Any, clock: Any) -> None:
    message = the_mail()
    clock.forward(days=7, seconds=1)

    assert code_of(report_not_me(token_in(message))) == "link_invalid"
    alice.auth_identity.refresh_from_db()
    assert alice.auth_identity.locked_at is None


def test_forgetting_the_device_does_not_invalidate_the_link(thief: Browser) -> None:
    message = the_mail()

    devices.forget_device(device=Device.objects.latest("pk"))

    assert report_not_me(token_in(message)).status_code == 200
    assert log_in(new_browser()).status_code == 401


def _deleted(alice: Any) -> None:
    alice.delete()


GONE: dict[str, tuple[Callable[[Any], Any], int]] = {
    "deleted": (_deleted, 400),
    "disabled": (lambda alice: disable_account(user=alice), 200),
}


@pytest.mark.parametrize("state", GONE)
def test_a_link_of_a_deleted_or_disabled_user_gives_no_access(state: str, thief: Browser, alice: Any) -> None:
    change, status = GONE[state]
    message = the_mail()

    change(alice)

    assert report_not_me(token_in(message)).status_code == status
    assert log_in(new_browser()).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "eln_" + "x" * 43, "elr_" + "x" * 43, "eln_", "é" * 47, 5, None, ["eln_"]])
def test_a_wrong_token_is_refused(token: Any, thief: Browser) -> None:
    answer = post(new_browser(), "devices/not-me", token=token)

    assert answer.status_code == 400
    assert is_signed_in(thief)


def test_a_link_of_another_kind_is_refused(thief: Browser) -> None:
    delivered()
    post(new_browser(), "password/forgot", email="alice@example.org")

    assert code_of(report_not_me(token_in(the_mail()))) == "link_invalid"


def test_the_page_changes_nothing_until_its_button_is_pressed(thief: Browser) -> None:
    link = link_in(the_mail())
    reader = new_browser()

    followed = reader.get(link.removeprefix(SITE))
    shown = reader.get(followed.headers["Location"])
    untouched = is_signed_in(thief)
    pressed = reader.post(followed.headers["Location"])
    again = reader.post(followed.headers["Location"])

    assert (followed.status_code, followed.headers["Location"]) == (303, "/not-me/")
    assert followed.headers["Referrer-Policy"] == "no-referrer"
    assert "alice" not in shown.content.decode()
    assert untouched
    assert pressed.status_code == 200
    assert "/password/forgot/" in pressed.content.decode()
    assert not is_signed_in(thief)
    assert again.status_code == 400


def test_the_button_needs_the_csrf_token(thief: Browser) -> None:
    reader = new_browser()
    reader.get(link_in(the_mail()).removeprefix(SITE))
    del reader.defaults["HTTP_X_CSRFTOKEN"]

    assert reader.post("/not-me/").status_code == 403
    assert is_signed_in(thief)


def test_without_a_public_url_the_mail_has_no_link(alice: Any, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PUBLIC_URL": ""}
    log_in(new_browser())

    granted = log_in(new_browser())

    assert granted.status_code == 200
    assert "/not-me/" not in the_mail().body
    assert not NotMeLink.objects.exists()


def test_without_notices_no_mail_is_sent(alice: Any, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "NOTICES": False}

    log_in(new_browser())
    log_in(new_browser())

    assert delivered() == []


def test_a_refused_login_sends_no_mail(alice: Any) -> None:
    browser = new_browser()
    log_in(browser)
    devices.block_device(device=Device.objects.get())

    again = new_browser()
    again.cookies["__Host-device"] = browser.cookies["__Host-device"].value
    log_in(again)

    assert delivered() == []


def test_an_unknown_token_is_refused(db: None) -> None:
    with pytest.raises(LinkInvalid):
        revoke_by_link(token=f"eln_{uuid4().hex}", client=Client())
