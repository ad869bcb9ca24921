"""``manage.py sessions``."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from auth_core.people.lookup import identity_of
from auth_core.runtime import batches
from auth_core.testing.factories import make_user
from auth_sessions import lifecycle
from auth_sessions.management.commands import sessions as command
from auth_sessions.models import Session
from conftest import Caller

# Each revocation has its own transaction, which a test transaction would hide.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice_twice_and_bob(alice: Any) -> list[Session]:
    """Three sessions, in the order in which they were opened."""
    make_user("bob@example.org")
    for who in ("alice@example.org", "alice@example.org", "bob@example.org"):
        Caller().log_in(who)
    return list(Session.objects.order_by("pk"))


def run(*arguments: Any) -> str:
    out = io.StringIO()
    call_command("sessions", *map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


def listed(*arguments: Any) -> list[str]:
    return [row["id"] for row in json.loads(run("list", "--json", *arguments))]


def ids(*rows: Session) -> list[str]:
    return [str(row.pk) for row in rows]


def live() -> list[str]:
    return ids(*Session.objects.live().order_by("pk"))


NAMINGS: dict[str, Callable[[Any], Any]] = {
    "public id": lambda user: identity_of(user).subject_id,
    "address": lambda user: "Alice@Example.org",
}


@pytest.mark.parametrize("name", NAMINGS.values(), ids=NAMINGS.keys())
def test_a_users_live_sessions_are_listed_newest_first(
    name: Any, alice: Any, alice_twice_and_bob: list[Session]
) -> None:
    first, second, _bobs = alice_twice_and_bob

    assert listed("--user", name(alice)) == ids(second, first)


def test_sessions_of_a_network_and_of_a_device_are_listed(alice_twice_and_bob: list[Session]) -> None:
    first, second, third = alice_twice_and_bob
    device = uuid4()
    Session.objects.filter(pk=first.pk).update(network="192.0.2.7", device_id=device)
    Session.objects.filter(pk=second.pk).update(network="192.0.2.8", device_id=None)
    Session.objects.filter(pk=third.pk).update(network="192.0.2.8", device_id=None)

    assert listed("--network", "192.0.2.8") == ids(third, second)
    assert listed("--device", device) == ids(first)


def test_ended_and_anonymous_sessions_are_not_listed(alice: Any, alice_twice_and_bob: list[Session]) -> None:
    lifecycle.end_all_sessions(user=alice, reason="revoked")
    Session.objects.create(
        token_digest="x", idle_lifetime=timedelta(days=1), expires_at=timezone.now() + timedelta(days=1)
    )

    assert listed() == ids(alice_twice_and_bob[2])


def test_a_truncated_list_says_so(alice_twice_and_bob: list[Session]) -> None:
    out = run("list", "--limit", 2)

    assert "There are more than 2" in out
    assert str(alice_twice_and_bob[2].pk) in out
    assert str(alice_twice_and_bob[0].pk) not in out


def test_no_secret_is_shown(alice_twice_and_bob: list[Session]) -> None:
    shown = run("list", "--json") + run("list")

    assert not any(row.token_digest in shown for row in alice_twice_and_bob)


def test_ending_named_sessions_is_recorded_with_the_reason(
    alice_twice_and_bob: list[Session], recorded_events: list[Any]
) -> None:
    first, second, third = alice_twice_and_bob

    output = run("revoke", first.pk, third.pk, "--reason", "stolen_laptop")

    assert output == "Ended 2 sessions.\n"
    assert live() == ids(second)
    ended = [(event.session, event.reason) for event in recorded_events if event.name.value == "session.session.ended"]
    assert ended == [(first.pk, "stolen_laptop"), (third.pk, "stolen_laptop")]


@pytest.mark.asvs("7.4.5")
def test_the_credential_is_invalid_after_a_revocation(alice: Any, caller: Caller) -> None:
    caller.log_in()
    assert caller.get("me/").status_code == 200

    run("revoke", "--user", "alice@example.org")

    assert caller.get("me/").status_code == 401


def test_all_sessions_of_a_user_or_a_device_are_ended(alice_twice_and_bob: list[Session]) -> None:
    _first, _second, third = alice_twice_and_bob
    device = uuid4()
    Session.objects.filter(pk=third.pk).update(device_id=device)

    assert run("revoke", "--user", "alice@example.org") == "Ended 2 sessions.\n"
    assert run("revoke", "--device", device) == "Ended 1 session.\n"
    assert live() == []


def test_an_unknown_id_is_an_error_and_the_others_are_ended(alice_twice_and_bob: list[Session]) -> None:
    unknown = uuid4()

    with pytest.raises(CommandError, match=str(unknown)):
        run("revoke", unknown, alice_twice_and_bob[0].pk)

    assert live() == ids(*alice_twice_and_bob[1:])


@pytest.mark.parametrize("answer", ["no", "", "y"])
def test_ending_all_sessions_asks_for_confirmation(
    answer: str, alice_twice_and_bob: list[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda question: answer)

    with pytest.raises(CommandError, match=r"Nothing was ended\."):
        run("revoke", "--all")

    assert live() == ids(*alice_twice_and_bob)


@pytest.mark.asvs("7.4.5")
@pytest.mark.parametrize("how", [["--all"], ["--all", "--no-input"]])
def test_all_sessions_are_ended_in_batches(
    how: list[str], alice_twice_and_bob: list[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_BATCH", 2)
    monkeypatch.setattr("builtins.input", lambda question: "yes")

    assert run("revoke", *how) == "Ended 3 sessions.\n"
    assert live() == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["revoke"],
        ["revoke", "--user", "nobody@example.org"],
        ["revoke", "--user", str(uuid4())],
        ["revoke", "--all", str(uuid4()), "--no-input"],
        ["revoke", "--all", "--user", "alice@example.org"],
        ["revoke", "--all", "--no-input", "--reason", "Not one word"],
        ["revoke", "not-an-id"],
        ["list", "--limit", "0"],
        ["prune", "--older-than", "-1"],
        [],
    ],
)
def test_invalid_arguments_end_no_session(arguments: list[str], alice_twice_and_bob: list[Session]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)

    assert live() == ids(*alice_twice_and_bob)


@pytest.mark.parametrize(("days", "left"), [(200, 3), (150, 1), (1, 1)])
def test_dead_rows_are_pruned_after_the_given_number_of_days(
    days: int, left: int, alice_twice_and_bob: list[Session]
) -> None:
    long_ago = timezone.now() - timedelta(days=180)
    ended, expired, _live = alice_twice_and_bob
    Session.objects.filter(pk=ended.pk).update(ended_at=long_ago)
    Session.objects.filter(pk=expired.pk).update(expires_at=long_ago)

    output = run("prune", "--older-than", days)

    assert output == f"Deleted {3 - left} rows.\n"
    assert Session.objects.count() == left


def test_an_interrupted_prune_can_be_repeated(
    alice_twice_and_bob: list[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    Session.objects.update(ended_at=timezone.now() - timedelta(days=101))
    monkeypatch.setattr(batches, "SIZE", 1)

    interrupted = lifecycle.deleting_dead(older_than=timedelta(days=100))
    assert next(interrupted) == 1
    interrupted.close()

    assert Session.objects.count() == 2
    assert run("--verbosity", 2, "prune") == "1 …\n2 …\nDeleted 2 rows.\n"
