"""Snapshots: the cost of a request, and protection from stale data."""

import json
import time
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection, models
from django.test.utils import isolate_apps
from django.utils import timezone

from auth_core.crypto.secrets import digest
from auth_core.fields import EncryptedTextField
from auth_core.runtime.redis_cache import shared_cache
from auth_core.testing.counts import counted
from auth_core.testing.redis import OwnRedis
from auth_sessions import lifecycle
from auth_sessions.models import Session
from auth_sessions.revocation import session_lookup, snapshots
from conftest import Caller

# The cache is written after the commit, which a test transaction would never reach.
pytestmark = pytest.mark.django_db(transaction=True)


def costs(shared: OwnRedis, caller: Caller, path: str = "me/") -> tuple[int, int]:
    """Return the number of queries and round trips of one request."""
    with counted() as cost:
        assert caller.get(path).status_code == 200
    return cost.queries, cost.round_trips


def test_a_cached_request_costs_no_query_and_one_round_trip(shared: OwnRedis, alice: Any, caller: Caller) -> None:
    caller.log_in()
    caller.get("me/")

    assert costs(shared, caller) == (0, 1)


def test_after_a_flush_one_request_costs_one_query(shared: OwnRedis, alice: Any, caller: Caller) -> None:
    caller.log_in()
    caller.get("me/")

    shared.flush()

    assert costs(shared, caller) == (1, 2)
    assert costs(shared, caller) == (0, 1)


def test_the_first_request_in_a_minute_writes_one_snapshot(shared: OwnRedis, alice: Any, caller: Caller) -> None:
    caller.log_in()
    caller.get("me/")
    Session.objects.update(last_seen_at=timezone.now() - timedelta(minutes=2))
    shared.flush()

    assert costs(shared, caller) == (2, 2)
    assert costs(shared, caller) == (0, 1)


def test_a_snapshot_stays_when_the_last_use_is_updated(
    shared: OwnRedis, alice: Any, caller: Caller, settings: Any
) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "LAST_SEEN_STEP": timedelta(seconds=30)}
    caller.log_in()
    caller.get("me/")

    with time_machine.travel(timezone.now() + timedelta(seconds=40), tick=False):
        assert costs(shared, caller) == (1, 2)
        assert costs(shared, caller) == (0, 1)


def test_a_session_that_ends_while_its_last_use_is_updated_stays_ended(
    shared: OwnRedis, alice: Any, caller: Caller, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "LAST_SEEN_STEP": timedelta(seconds=30)}
    caller.log_in()
    caller.get("me/")
    touch = session_lookup._touch

    def touch_then_end(session: Session, moment: datetime) -> bool:
        changed = touch(session, moment)
        lifecycle.end_all_sessions(user=alice, reason="revoked")
        return changed

    with time_machine.travel(timezone.now() + timedelta(seconds=40), tick=False):
        monkeypatch.setattr(session_lookup, "_touch", touch_then_end)
        caller.get("me/")
        monkeypatch.setattr(session_lookup, "_touch", touch)

        assert caller.get("me/").status_code == 401


def test_a_session_that_began_with_another_password_gets_no_snapshot(
    shared: OwnRedis, alice: Any, caller: Caller
) -> None:
    caller.log_in()
    Session.objects.update(auth_hash="of another password")

    assert [caller.get("me/").status_code for _request in range(3)] == [401] * 3


def test_without_redis_every_request_costs_one_query(shared: OwnRedis, alice: Any, caller: Caller) -> None:
    caller.log_in()
    caller.get("me/")

    shared.kill()

    assert [costs(shared, caller)[0] for _request in range(6)] == [1] * 6


def test_a_redis_that_comes_back_is_used_again(shared: OwnRedis, alice: Any, caller: Caller) -> None:
    caller.log_in()
    shared.kill()
    for _request in range(4):
        caller.get("me/")

    shared.start()
    time.sleep(1.1)
    caller.get("me/")

    assert costs(shared, caller) == (0, 1)


def test_a_snapshot_gives_the_same_answer_as_the_rows(shared: OwnRedis, alice: Any, caller: Caller) -> None:
    caller.log_in()

    assert caller.get("me/").json() == caller.get("me/").json()


def test_a_snapshot_holds_no_secret(shared: OwnRedis, alice: Any, caller: Caller) -> None:
    caller.log_in()
    caller.get("me/")

    (name,) = shared.client.keys(f"*session:*{digest(caller.credential)}")
    stored = shared.client.get(name)

    assert stored is not None
    assert alice.password.encode() not in stored
    assert b"argon2" not in stored
    assert caller.credential.encode() not in stored


def test_an_ended_session_is_invalid_although_it_was_cached(shared: OwnRedis, alice: Any, caller: Caller) -> None:
    caller.log_in()
    caller.get("me/")

    lifecycle.end_all_sessions(user=alice, reason="revoked")

    assert caller.get("me/").status_code == 401


def test_a_deleted_user_is_signed_out_although_the_session_was_cached(
    shared: OwnRedis, alice: Any, caller: Caller
) -> None:
    caller.log_in()
    caller.get("me/")

    alice.delete()

    assert caller.get("me/").status_code == 401


def test_with_atomic_requests_the_snapshot_is_deleted_before_the_answer(
    shared: OwnRedis, alice: Any, browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    browser.get("/own/login/?who=alice")
    kept = browser.cookies["sessionid"].value
    assert browser.get("/own/count/").json()["who"] == "alice"

    browser.get("/own/logout/")

    browser.cookies["sessionid"] = kept
    assert browser.get("/own/count/").json()["who"] == ""


@pytest.mark.parametrize(
    "stored", [b"", b"{", b"[]", b"7", b"{}", b'{"until": 1}', b'{"until": "9999-01-01T00:00:00Z"}']
)
def test_an_unreadable_snapshot_does_not_sign_out(stored: bytes, shared: OwnRedis, alice: Any, caller: Caller) -> None:
    caller.log_in()
    caller.get("me/")
    (name,) = shared.client.keys(f"*session:*{digest(caller.credential)}")
    shared.client.set(name, stored)

    assert caller.get("me/").status_code == 200
    caller.get("me/")
    assert costs(shared, caller) == (0, 1)


def test_snapshots_expire_at_different_times(shared: OwnRedis, alice: Any, caller: Caller) -> None:
    for _login in range(20):
        caller.log_in()
        caller.get("me/")

    lives = [shared.client.pttl(name) for name in shared.client.keys("*session:*")]

    assert max(lives) <= 60_000
    assert max(lives) - min(lives) > 2_000


@isolate_apps("auth_core")
def test_a_snapshot_carries_every_kind_of_field_and_no_secret() -> None:
    class Odd(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid4)
        picture = models.BinaryField()
        price = models.DecimalField(max_digits=9, decimal_places=4)
        since = models.DateTimeField()
        day = models.DateField()
        wait = models.DurationField()
        tags = models.JSONField()
        home = models.GenericIPAddressField()
        nothing = models.IntegerField(null=True)
        password = models.CharField(max_length=128)
        seed = EncryptedTextField(purpose="tests.odd.seed")

        class Meta:
            app_label = "auth_core"

    row = Odd(
        picture=b"\x00\xff", price=Decimal("1.2500"), since=timezone.now(), day=date(2026, 1, 2),
        wait=timedelta(days=-1, microseconds=7), tags={"a": ["é", None]}, home="2001:db8::1",
        password="argon2$hash", seed="JBSWY3DP",
    )  # fmt: skip
    written = json.dumps(snapshots._fields(row), default=snapshots._json)
    back = snapshots._instance(Odd, json.loads(written))

    shown = [field.attname for field in Odd._meta.concrete_fields if field.name not in {"password", "seed"}]
    assert {name: getattr(back, name) for name in shown} == {name: getattr(row, name) for name in shown}
    assert back.get_deferred_fields() == {"password", "seed"}
    assert "JBSWY3DP" not in written
    assert "argon2" not in written


@pytest.mark.parametrize("change", ["is_active", "email address", "lock"])
def test_a_change_of_the_user_takes_effect_with_the_next_request(
    change: str, shared: OwnRedis, alice: Any, caller: Caller
) -> None:
    caller.log_in()
    caller.get("me/")

    if change == "is_active":
        alice.is_active = False
        alice.save()
    elif change == "lock":
        alice.auth_identity.locked_at = alice.date_joined
        alice.auth_identity.save()
    else:
        address = alice.email_addresses.get()
        address.address = "Alice@example.org"
        address.save()

    after = caller.get("me/")
    assert after.status_code == 200 if change == "email address" else 401
    assert change != "email address" or after.json()["email"] == "Alice@example.org"


def slow_read(caller: Caller, alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the row, end the session, then write the snapshot that was read."""
    from_rows = snapshots._from_rows

    def read_then_end(digest: str) -> Session | None:
        session = from_rows(digest)
        monkeypatch.setattr(snapshots, "_from_rows", from_rows)
        lifecycle.end_all_sessions(user=alice, reason="revoked")
        return session

    monkeypatch.setattr(snapshots, "_from_rows", read_then_end)
    caller.get("me/")


def test_a_slow_reader_cannot_write_a_stale_snapshot(
    shared: OwnRedis, alice: Any, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller.log_in()
    shared.flush()

    slow_read(caller, alice, monkeypatch)

    assert caller.get("me/").status_code == 401


def test_without_the_lease_a_stale_snapshot_would_be_written(
    shared: OwnRedis, alice: Any, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = shared_cache(shared.url)
    assert cache is not None
    monkeypatch.setattr(type(cache), "fill", lambda self, key, _lease, value, *, ttl: self.put(key, value, ttl=ttl))
    caller.log_in()
    shared.flush()

    slow_read(caller, alice, monkeypatch)

    assert caller.get("me/").status_code == 200, "the planted defect must be seen"


def test_a_snapshot_expires_after_a_minute_by_our_own_clock(shared: OwnRedis, alice: Any, caller: Caller) -> None:
    caller.log_in()
    caller.get("me/")

    with time_machine.travel(timezone.now() + timedelta(seconds=61), tick=False):
        assert costs(shared, caller)[0] >= 2
