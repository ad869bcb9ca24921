"""Sessions over the API: use, expiry, listing and revocation."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone

from auth_core.crypto.secrets import digest
from auth_core.events import AuthEvent, Event, event_recorded, record
from auth_core.flows.account_creation import create_account
from auth_core.testing.browsers import log_in, logged_in, post
from auth_core.testing.factories import PASSWORD
from auth_core.testing.settings import redis_url
from auth_sessions import lifecycle
from auth_sessions.models import Session
from conftest import Caller

# With a cache, snapshots are deleted after the commit, which a test transaction would never reach.
pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))


@pytest.fixture
def events(db: None) -> Any:
    recorded: list[Event] = []

    def keep(event: Event, **kwargs: Any) -> None:
        recorded.append(event)

    event_recorded.connect(keep, weak=False)
    yield recorded
    event_recorded.disconnect(keep)


@pytest.mark.asvs("7.2.3")
def test_the_table_stores_only_the_digest_of_the_credential(alice: Any, caller: Caller) -> None:
    caller.log_in()

    session = Session.objects.get()
    assert caller.credential.startswith("eas_")
    assert len(caller.credential) == 47
    assert session.token_digest == digest(caller.credential)
    assert caller.credential not in str(Session.objects.values().get())


def test_a_token_signs_in(alice: Any, caller: Caller) -> None:
    granted = caller.log_in()

    me = caller.get("me/")

    assert me.status_code == 200
    assert me.json()["email"] == "alice@example.org"
    assert me.json()["acr"] == "aal1"
    assert granted.json()["session"]["id"] == str(Session.objects.get().pk)
    assert "sessionid" not in caller.http.cookies


def test_a_cookie_signs_in(alice: Any, browser: Browser) -> None:
    granted = log_in(browser)

    assert "credential" not in granted.json()
    assert browser.get("/api/v1/me/").json()["email"] == "alice@example.org"
    assert browser.cookies["sessionid"].value.startswith("eas_")


@pytest.mark.asvs("7.4.1")
def test_after_logout_the_credential_is_invalid(alice: Any, caller: Caller, events: list[Event]) -> None:
    caller.log_in()

    logout = caller.send("POST", "logout/")

    assert logout.status_code == 204
    assert caller.get("me/").status_code == 401
    assert [event.name.value for event in events][-2:] == ["session.session.ended", "auth.logout.completed"]


def test_after_logout_the_cookie_is_invalid(alice: Any, browser: Browser) -> None:
    logged_in(browser)
    kept = browser.cookies["sessionid"].value

    assert post(browser, "logout").status_code == 204

    browser.cookies["sessionid"] = kept
    assert browser.get("/api/v1/me/").status_code == 401


def test_a_token_never_works_as_a_cookie(alice: Any, caller: Caller, browser: Browser) -> None:
    caller.log_in()

    browser.cookies["sessionid"] = caller.credential

    assert browser.get("/api/v1/me/").status_code == 401


def test_a_cookie_never_works_as_a_token(alice: Any, caller: Caller, browser: Browser) -> None:
    logged_in(browser)

    caller.credential = browser.cookies["sessionid"].value

    assert caller.get("me/").status_code == 401


@pytest.mark.asvs("2.2.3")
def test_two_valid_credentials_are_ambiguous(alice: Any, caller: Caller, browser: Browser) -> None:
    logged_in(browser)
    caller.log_in()

    refused = browser.get("/api/v1/me/", HTTP_AUTHORIZATION=f"Session {caller.credential}")

    assert refused.status_code == 400
    assert refused.json()["code"] == "ambiguous_credentials"


@pytest.mark.parametrize(
    "header", ["Session eas_" + "x" * 43, "Session x", "Session ", "Session", "Bearer x", "Basic eDp5"]
)
def test_a_wrong_header_with_a_valid_cookie_is_401(header: str, alice: Any, browser: Browser) -> None:
    logged_in(browser)

    refused = browser.get("/api/v1/me/", HTTP_AUTHORIZATION=header)

    assert refused.status_code == 401
    assert refused.json()["code"] == "not_authenticated"


@pytest.mark.parametrize(
    "key",
    [
        "eas_",
        "eas_" + "x" * 42,
        "eas_" + "x" * 44,
        "eas_" + "é" * 43,
        "eas_" + "\x00" * 43,
        "e" * 10_000,
        "' OR 1=1 --",
    ],
)
@pytest.mark.asvs("7.2.1")
def test_a_key_with_the_wrong_format_is_not_looked_up(
    key: str, browser: Browser, django_assert_num_queries: Any
) -> None:
    browser.cookies["sessionid"] = key

    with django_assert_num_queries(0):
        assert browser.get("/api/v1/me/").status_code == 401


@pytest.mark.asvs("7.2.4")
def test_every_login_gets_a_new_key(alice: Any, browser: Browser) -> None:
    logged_in(browser)
    first = browser.cookies["sessionid"].value

    logged_in(browser)

    assert browser.cookies["sessionid"].value != first
    browser.cookies["sessionid"] = first
    assert browser.get("/api/v1/me/").status_code == 401


@pytest.mark.asvs("7.3.1")
def test_an_idle_session_expires(alice: Any, caller: Caller) -> None:
    caller.log_in()
    session = Session.objects.get()
    last_moment = session.last_seen_at + session.idle_lifetime

    # Without the cache the row may lag by a minute, which is granted as grace. With the cache it is exact
    # (test_epochs).
    last_moment += timedelta(minutes=1)
    with time_machine.travel(last_moment + timedelta(seconds=1), tick=False):
        assert caller.get("me/").status_code == 401
    with time_machine.travel(last_moment - timedelta(seconds=1), tick=False):
        assert caller.get("me/").status_code == 200


def test_an_idle_expired_session_is_not_listed(alice: Any, caller: Caller) -> None:
    caller.log_in()
    unused = Session.objects.get()

    with time_machine.travel(unused.last_seen_at + timedelta(days=8), tick=False):
        caller.log_in()
        listed = [row["id"] for row in caller.get("sessions/").json()["results"]]
        one = caller.get(f"sessions/{unused.pk}/")

    assert len(listed) == 1
    assert str(unused.pk) not in listed
    assert one.status_code == 404


def test_the_last_seen_time_is_updated_once_a_minute(alice: Any, caller: Caller) -> None:
    caller.log_in()
    began = Session.objects.get().last_seen_at

    last_seen = []
    for second in (59, 61, 100, 122):
        with time_machine.travel(began + timedelta(seconds=second), tick=False):
            caller.get("me/")
        last_seen.append((Session.objects.get().last_seen_at - began).total_seconds())

    assert last_seen == [0, 61, 61, 122]


@pytest.mark.asvs("7.3.2")
def test_a_session_expires_at_its_absolute_lifetime(alice: Any, caller: Caller) -> None:
    caller.log_in()
    began = timezone.now()

    for day in range(1, 30):
        with time_machine.travel(began + timedelta(days=day), tick=False):
            assert caller.get("me/").status_code == 200
    with time_machine.travel(began + timedelta(days=30, seconds=1), tick=False):
        assert caller.get("me/").status_code == 401


@pytest.mark.asvs("7.4.2")
def test_a_disabled_user_is_signed_out_with_the_next_request(alice: Any, caller: Caller) -> None:
    caller.log_in()
    assert caller.get("me/").status_code == 200

    alice.is_active = False
    alice.save()

    assert caller.get("me/").status_code == 401


@pytest.mark.asvs("7.4.2")
def test_a_deleted_user_is_signed_out_with_the_next_request(alice: Any, caller: Caller, browser: Browser) -> None:
    logged_in(browser)
    caller.log_in()
    assert caller.get("me/").status_code == 200
    assert browser.get("/api/v1/me/").status_code == 200

    alice.delete()

    assert caller.get("me/").status_code == 401
    assert browser.get("/api/v1/me/").status_code == 401


def test_a_locked_user_is_signed_out_with_the_next_request(alice: Any, caller: Caller) -> None:
    caller.log_in()
    assert caller.get("me/").status_code == 200

    alice.auth_identity.locked_at = timezone.now()
    alice.auth_identity.save()

    assert caller.get("me/").status_code == 401


def test_a_new_password_ends_sessions_that_began_with_the_old_one(alice: Any, caller: Caller) -> None:
    caller.log_in()

    alice.set_password("quite another passphrase here")
    alice.save()

    assert caller.get("me/").status_code == 401


def test_the_password_changed_event_ends_the_other_sessions(alice: Any, caller: Caller) -> None:
    caller.log_in()
    kept = Session.objects.get().pk
    Caller().log_in()

    alice.set_password("quite another passphrase here")
    alice.save()
    record(Event(name=AuthEvent.PASSWORD_CHANGED, subject=alice, session=kept))

    assert list(Session.objects.live().values_list("pk", flat=True)) == [kept]
    assert caller.get("me/").status_code == 200, "the session in which it was changed must stay valid"


@pytest.mark.asvs("7.5.2")
def test_users_list_their_sessions(alice: Any, caller: Caller, browser: Browser) -> None:
    logged_in(browser)
    caller.log_in()

    page = caller.get("sessions/").json()

    assert [row["current"] for row in page["results"]] == [True, False]
    assert [row["transport"] for row in page["results"]] == ["token", "cookie"]
    assert page["next"] is None
    assert "eas_" not in str(page)


def test_lists_are_paginated(alice: Any, caller: Caller) -> None:
    for _login in range(3):
        caller.log_in()

    first = caller.get("sessions/?page_size=2").json()
    second = caller.get("sessions/" + first["next"].partition("sessions/")[2]).json()

    assert len(first["results"]) == 2
    assert len(second["results"]) == 1
    assert second["next"] is None


@pytest.mark.parametrize(
    "query", ["user=1", "page_size=0", "page_size=201", "page_size=x", "cursor=nonsense", "page_size=²"]
)
def test_an_unknown_filter_or_page_is_refused(query: str, alice: Any, caller: Caller) -> None:
    caller.log_in()

    assert caller.get(f"sessions/?{query}").status_code == 400


def test_users_end_their_sessions(alice: Any, caller: Caller, browser: Browser, events: list[Event]) -> None:
    logged_in(browser)
    other = Session.objects.get().pk
    caller.log_in()

    ended = caller.send("DELETE", f"sessions/{other}/")

    assert ended.status_code == 204
    assert browser.get("/api/v1/me/").status_code == 401
    assert caller.send("DELETE", f"sessions/{other}/").status_code == 404
    assert (events[-1].name.value, events[-1].reason) == ("session.session.ended", "revoked")


def test_a_request_does_not_end_the_session_of_another_user(alice: Any, events: list[Event]) -> None:
    create_account(email="bob@example.org", password=PASSWORD)
    Caller().log_in("bob@example.org")
    of_bob = Session.objects.get()

    ended = lifecycle.end_current_session(session_id=of_bob.pk, user=alice, reason="logout")

    assert not ended
    assert Session.objects.get().ended_at is None
    assert [event for event in events if event.name == AuthEvent.SESSION_ENDED] == []


@pytest.mark.asvs("7.5.2")
def test_another_users_session_is_not_found(alice: Any, caller: Caller) -> None:
    create_account(email="bob@example.org", password=PASSWORD)
    bob = Caller()
    bob.log_in("bob@example.org")
    caller.log_in()
    of_bob = Session.objects.exclude(user=alice).get().pk

    assert caller.get(f"sessions/{of_bob}/").status_code == 404
    assert caller.send("DELETE", f"sessions/{of_bob}/").status_code == 404
    assert bob.get("me/").status_code == 200


def test_users_sign_out_everywhere_else(alice: Any, caller: Caller, browser: Browser) -> None:
    logged_in(browser)
    caller.log_in()

    assert caller.send("POST", "sessions/revoke-others/").status_code == 204

    assert browser.get("/api/v1/me/").status_code == 401
    assert caller.get("me/").status_code == 200


def test_a_sites_own_login_opens_sessions(alice: Any, browser: Browser) -> None:
    browser.get("/own/count/")
    before = browser.cookies["sessionid"].value

    browser.get("/own/login/?who=alice")

    counted = browser.get("/own/count/").json()
    assert counted == {"count": 2, "who": "alice"}
    assert browser.cookies["sessionid"].value != before
    assert browser.get("/api/v1/me/").status_code == 200
    browser.get("/own/logout/")
    assert browser.get("/api/v1/me/").status_code == 401
    assert Session.objects.get(user=alice).ended_reason == "logout"


def test_anonymous_session_data_survives_the_login(alice: Any, browser: Browser) -> None:
    browser.get("/own/count/")

    logged_in(browser)

    assert browser.get("/own/count/").json()["count"] == 2


def test_an_anonymous_request_creates_no_row(browser: Browser) -> None:
    browser.get("/api/v1/me/")

    assert not Session.objects.exists()


def test_dead_rows_are_deleted(alice: Any, caller: Caller) -> None:
    caller.log_in()
    lifecycle.end_all_sessions(user=alice, reason="revoked")

    with time_machine.travel(timezone.now() + timedelta(days=99), tick=False):
        assert lifecycle.delete_dead() == 0
    with time_machine.travel(timezone.now() + timedelta(days=101), tick=False):
        assert lifecycle.delete_dead() == 1
