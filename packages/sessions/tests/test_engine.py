"""The session engine as a site uses it, through Django's own interface."""

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.base import CreateError, UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.management import call_command
from django.test import Client as Browser
from django.utils import timezone

from auth_core.crypto.secrets import digest
from auth_core.testing.browsers import log_in
from auth_core.testing.settings import redis_url
from auth_sessions import lifecycle
from auth_sessions.engine import SessionStore
from auth_sessions.models import Session
from conftest import Caller

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

BACKEND = "auth_core.backends.IdentifierBackend"


@pytest.fixture
def store() -> SessionStore:
    """An anonymous session with data."""
    store = SessionStore()
    store["kept"] = 1
    store.save()
    return store


@pytest.fixture
def of_alice(alice: Any) -> SessionStore:
    """A session that the site's own login opened."""
    browser = Browser()
    browser.force_login(alice, backend=BACKEND)
    return SessionStore(browser.cookies["sessionid"].value)


def reloaded(store: SessionStore) -> SessionStore:
    """Return the session as the next request loads it."""
    return SessionStore(store.session_key)


def row_of(key: str | None) -> Session:
    return Session.objects.get(token_digest=digest(str(key)))


@pytest.mark.parametrize(
    "value", ["\x00", "\ud800", "é", "💣", {"a": [1, None, True, 1.5]}, "x" * 100_000, {"_auth_user_id": 7}]
)
def test_session_data_is_stored_and_loaded(value: Any, store: SessionStore) -> None:
    store["value"] = value
    store.save()

    assert reloaded(store)["value"] == value


def test_data_that_is_not_json_serialisable_is_refused(store: SessionStore) -> None:
    store["value"] = object()

    with pytest.raises(TypeError):
        store.save()

    assert dict(reloaded(store).items()) == {"kept": 1}


def test_session_data_cannot_sign_a_user_in(alice: Any, store: SessionStore) -> None:
    store["_auth"] = {SESSION_KEY: str(alice.pk)}
    store.save()

    assert reloaded(store).facts is None


def test_saving_writes_only_when_something_changed(store: SessionStore, django_assert_num_queries: Any) -> None:
    loaded = reloaded(store)
    assert loaded["kept"] == 1
    loaded["kept"] = 1

    with django_assert_num_queries(0):
        loaded.save()


def test_a_session_cleared_before_reading_is_empty(store: SessionStore) -> None:
    unread = reloaded(store)

    unread.clear()
    unread["new"] = 2
    unread.save()

    assert dict(reloaded(store).items()) == {"new": 2}


def test_a_flushed_session_is_ended_and_empty(of_alice: SessionStore) -> None:
    key, session = of_alice.session_key, row_of(of_alice.session_key)
    assert of_alice.facts is not None

    of_alice.flush()

    assert (of_alice.session_key, of_alice.facts, dict(of_alice.items())) == (None, None, {})
    assert SessionStore(key).facts is None
    assert Session.objects.get(pk=session.pk).ended_reason == "logout"


def test_a_flushed_anonymous_session_leaves_no_row(store: SessionStore) -> None:
    store.flush()

    assert not Session.objects.exists()


@pytest.mark.asvs("7.2.4")
def test_cycling_the_key_invalidates_the_old_one(of_alice: SessionStore) -> None:
    old = of_alice.session_key
    assert of_alice.facts is not None

    of_alice.cycle_key()

    assert of_alice.session_key != old
    assert of_alice.modified
    assert SessionStore(old).facts is None
    assert reloaded(of_alice).facts is not None


def test_cycling_the_key_keeps_the_session(alice: Any, caller: Caller, browser: Browser) -> None:
    log_in(browser)
    store = SessionStore(browser.cookies["sessionid"].value)
    before = store.facts
    assert before is not None

    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        store.cycle_key()
        store[HASH_SESSION_KEY] = alice.get_session_auth_hash()
        store.save()
        after = reloaded(store).facts

    assert after is not None
    assert (after.id, after.evidence, after.acr) == (before.id, before.evidence, "aal1")
    assert after.expires_at == before.expires_at, "cycling the key must not prolong the session"


@pytest.mark.asvs("7.4.1")
def test_the_key_of_an_ended_session_cannot_be_cycled(alice: Any, of_alice: SessionStore) -> None:
    assert of_alice.facts is not None
    lifecycle.end_all_sessions(user=alice, reason="revoked")

    with pytest.raises(SessionInterrupted):
        of_alice.cycle_key()

    assert not Session.objects.live().exists()


@pytest.mark.asvs("7.4.1")
def test_a_request_in_flight_cannot_restore_an_ended_session(alice: Any, of_alice: SessionStore) -> None:
    of_alice["cart"] = 1
    lifecycle.end_all_sessions(user=alice, reason="revoked")

    with pytest.raises(UpdateError):
        of_alice.save()

    assert reloaded(of_alice).facts is None


def test_a_key_cannot_be_used_twice(store: SessionStore) -> None:
    other = SessionStore(store.session_key)

    with pytest.raises(CreateError):
        other.save(must_create=True)
    assert other.exists(str(store.session_key))


def test_a_sites_own_login_is_recorded_with_its_origin(alice: Any, recorded_events: list[Any]) -> None:
    browser = Browser(headers={"user-agent": "Browser/1"})

    browser.get("/own/login/?who=alice")
    browser.get("/own/count/")

    (opened,) = [event for event in recorded_events if event.name.value == "session.session.opened"]
    session = row_of(browser.cookies["sessionid"].value)
    assert (opened.subject, opened.session, opened.reason) == (alice, session.pk, "site")
    assert opened.data == {"transport": "cookie", "acr": "aal0"}
    assert (session.ip, session.user_agent) == ("127.0.0.1", "Browser/1")
    assert session.authenticated_at is not None


def test_a_login_that_cannot_be_recorded_opens_no_session(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the audit trail is full")

    monkeypatch.setattr("auth_sessions.engine.record_opened", refuse)

    with pytest.raises(RuntimeError):
        Browser().get("/own/login/?who=alice")

    assert not Session.objects.filter(user=alice).exists()


@pytest.mark.asvs("7.3.2")
def test_signing_in_starts_a_new_lifetime(alice: Any, browser: Browser) -> None:
    began = timezone.now()
    with time_machine.travel(began, tick=False):
        browser.get("/own/count/")
    with time_machine.travel(began + timedelta(days=5), tick=False):
        browser.get("/own/login/?who=alice")

    session = row_of(browser.cookies["sessionid"].value)
    assert session.expires_at == began + timedelta(days=35)


@pytest.mark.asvs("7.3.1")
def test_a_site_may_set_a_shorter_idle_time(of_alice: SessionStore) -> None:
    of_alice.set_expiry(300)
    of_alice.save()
    saved = timezone.now()

    with time_machine.travel(saved + timedelta(seconds=290), tick=False):
        assert reloaded(of_alice).facts is not None
    with time_machine.travel(saved + timedelta(seconds=290 + 300 + 61), tick=False):
        assert reloaded(of_alice).facts is None


@pytest.mark.asvs("7.3.2")
def test_a_site_may_set_an_earlier_end_but_no_later_one(of_alice: SessionStore) -> None:
    end = timezone.now() + timedelta(hours=2)

    of_alice.set_expiry(end)
    of_alice.save()
    assert row_of(of_alice.session_key).expires_at == end

    of_alice.set_expiry(timedelta(days=400))
    of_alice.save()
    assert row_of(of_alice.session_key).expires_at == end


def test_the_cookie_lasts_as_long_as_the_session(alice: Any, browser: Browser, caller: Caller) -> None:
    log_in(browser)

    cookie = browser.cookies["sessionid"]
    assert int(cookie["max-age"]) == pytest.approx(timedelta(days=30).total_seconds(), abs=5)


@pytest.mark.asvs("7.2.3")
def test_keys_are_unique() -> None:
    keys = set()
    for _session in range(200):
        store = SessionStore()
        store.create()
        keys.add(store.session_key)

    assert len(keys) == 200
    assert {len(str(key)) for key in keys} == {47}


def test_clearsessions_deletes_dead_rows(of_alice: SessionStore) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=131), tick=False):
        call_command("clearsessions")

    assert not Session.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_asynchronous_interface_behaves_the_same(alice: Any, of_alice: SessionStore) -> None:
    async def use() -> Any:
        old = of_alice.session_key
        await of_alice.aset("cart", 1)
        await of_alice.acycle_key()
        await of_alice.asave()
        return old, await SessionStore(of_alice.session_key).aget("cart"), await SessionStore(old).aget("cart")

    old, kept, lost = async_to_sync(use)()

    assert old != of_alice.session_key
    assert (kept, lost) == (1, None)
    assert Session.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_asynchronous_view_gets_the_user(alice: Any, browser: Browser) -> None:
    assert browser.get("/own/async/").json() == {"who": ""}

    browser.get("/own/login/?who=alice")

    assert browser.get("/own/async/").json() == {"who": "alice"}


def test_a_session_survives_a_secret_key_rotation(alice: Any, caller: Caller, settings: Any) -> None:
    caller.log_in()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + "k" * 50

    assert caller.get("me/").status_code == 200

    settings.SECRET_KEY_FALLBACKS = []
    assert caller.get("me/").status_code == 200


def test_removing_the_secret_key_ends_the_session(alice: Any, caller: Caller, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "REDIS_URL": ""}
    caller.log_in()
    settings.SECRET_KEY = "another-" + "k" * 50

    assert caller.get("me/").status_code == 401


def test_a_changed_password_keeps_the_session_it_was_changed_in(alice: Any, browser: Browser, caller: Caller) -> None:
    caller.log_in()
    browser.get("/own/login/?who=alice")

    browser.get("/own/password/")

    assert browser.get("/own/count/").json()["who"] == "alice"
    assert caller.get("me/").status_code == 401


def test_sessions_of_another_engine_are_read_by_django(alice: Any, settings: Any) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    browser = Browser()

    browser.get("/own/login/?who=alice")

    assert browser.get("/own/count/").json()["who"] == "alice"
    assert not Session.objects.exists()


def test_forged_keys_are_refused_quickly() -> None:
    began = time.thread_time()
    for key in ("eas_" + "x" * 1_000_000, "a" * 1_000_000 + "!"):
        assert SessionStore(key).session_key is None
    assert time.thread_time() - began < 1


def test_the_sites_user_model_is_used(alice: Any) -> None:
    assert isinstance(alice, get_user_model())
    assert Session._meta.get_field("user").related_model is get_user_model()
