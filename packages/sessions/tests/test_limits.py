"""Limits of concurrent sessions."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.test import Client as Browser
from django.utils import timezone

from auth_core import registries
from auth_core.assurance.evidence import Evidence, Method
from auth_core.contracts import Purpose, Transport
from auth_core.models import PendingLogin
from auth_core.request.client import Client
from auth_core.testing.browsers import log_in
from auth_core.testing.counts import counted
from auth_core.testing.factories import make_user
from auth_core.testing.sessions import begin
from auth_core.testing.settings import redis_url
from auth_sessions import checks, concurrency
from auth_sessions.login import OpenSession
from auth_sessions.models import Session, SessionAllowance
from conftest import Caller

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))


@pytest.fixture
def limit(settings: Any) -> Any:
    """Set limits in the settings."""

    def set_limits(**limits: Any) -> None:
        settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, **limits}

    return set_limits


@pytest.fixture
def groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register a fact: the groups of a user."""
    monkeypatch.setattr(registries.facts, "_entries", dict(registries.facts._entries))
    registries.facts.register("groups", lambda user: list(user.groups.values_list("name", flat=True)))


def callers(number: int) -> list[Caller]:
    """Sign alice in that many times, one after the other."""
    signed_in = [Caller() for _number in range(number)]
    for caller in signed_in:
        caller.log_in()
    return signed_in


def signed_in_numbers(signed_in: list[Caller]) -> list[int]:
    """Return the numbers of those who are still signed in."""
    return [number for number, caller in enumerate(signed_in) if caller.get("me/").status_code == 200]


def refusal(caller: Caller) -> Any:
    return log_in(caller.http, transport="token")


def issue(user: Any) -> None:
    """Issue a grant as for a login that has proved everything."""
    OpenSession().issue(begin(user), Client())


def test_the_oldest_session_is_ended(alice: Any, limit: Any) -> None:
    limit(LIMIT=2, LIMIT_POLICY="end_oldest")
    first, second = callers(2)
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=True):
        first.get("me/")

    third = Caller()
    third.log_in()

    assert signed_in_numbers([first, second, third]) == [1, 2]
    assert Session.objects.get(ended_reason="limit").ended_at == Session.objects.order_by("-pk")[0].created_at


def test_the_least_recently_used_session_is_ended_by_default(alice: Any, limit: Any) -> None:
    limit(LIMIT=2)
    first, second = callers(2)

    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=True):
        first.get("me/")
        third = Caller()
        third.log_in()

        assert signed_in_numbers([first, second, third]) == [0, 2]


def test_a_new_session_is_refused_and_recorded(alice: Any, limit: Any, recorded_events: list[Any]) -> None:
    limit(LIMIT=2, LIMIT_POLICY="deny_new")
    signed_in = callers(2)

    refused = refusal(Caller())

    assert (refused.status_code, refused.json()["code"]) == (403, "login_denied")
    assert signed_in_numbers(signed_in) == [0, 1]
    last = recorded_events[-1]
    assert (last.name.value, last.reason, last.outcome.value) == ("auth.login.denied", "limit", "denied")


def test_ending_a_session_for_the_limit_is_recorded(alice: Any, limit: Any, recorded_events: list[Any]) -> None:
    limit(LIMIT=1)

    callers(2)

    ended = [event for event in recorded_events if event.name.value == "session.session.ended"]
    assert [(event.reason, event.subject.pk) for event in ended] == [("limit", alice.pk)]


def test_ended_expired_and_idle_sessions_do_not_count(alice: Any, limit: Any) -> None:
    limit(LIMIT=3, LIMIT_POLICY="deny_new")
    ended, _expired, _unused = callers(3)
    ended.send("POST", "logout/")
    rows = list(Session.objects.order_by("pk"))
    Session.objects.filter(pk=rows[1].pk).update(expires_at=timezone.now())
    Session.objects.filter(pk=rows[2].pk).update(last_seen_at=timezone.now() - timedelta(days=8))

    assert signed_in_numbers(callers(3)) == [0, 1, 2]


def test_a_lowered_limit_ends_all_excess_sessions(alice: Any, limit: Any) -> None:
    limit(LIMIT=5)
    signed_in = callers(5)

    limit(LIMIT=2)
    signed_in += callers(1)

    assert signed_in_numbers(signed_in) == [4, 5]


def test_a_step_up_does_not_count_as_a_new_session(alice: Any, limit: Any) -> None:
    limit(LIMIT=1, LIMIT_POLICY="deny_new")
    callers(1)
    session = Session.objects.get()

    login = PendingLogin.objects.open(
        user=alice,
        backend=session.backend,
        purpose=Purpose.STEP_UP,
        transport=Transport.TOKEN,
        evidence=[Evidence.now(Method.TOTP)],
        session_id=session.pk,
    )
    grant = OpenSession().issue(login, Client())

    assert grant.session.id == session.pk


def test_sessions_of_other_users_do_not_count(alice: Any, limit: Any) -> None:
    limit(LIMIT=1)
    make_user("bob@example.org")
    first = callers(1)

    Caller().log_in("bob@example.org")

    assert signed_in_numbers(first) == [0]


def test_an_allowance_overrides_other_limits(alice: Any, limit: Any, groups: None) -> None:
    limit(LIMIT=1, LIMITS=[{"fact": "groups", "value": "staff", "sessions": 2}])
    alice.groups.add(Group.objects.create(name="staff"))
    SessionAllowance.objects.create(user=alice, sessions=3, policy="end_oldest")

    assert signed_in_numbers(callers(4)) == [1, 2, 3]


def test_an_allowance_may_be_unlimited(alice: Any, limit: Any) -> None:
    limit(LIMIT=1)
    SessionAllowance.objects.create(user=alice, sessions=None, policy="end_oldest")

    assert signed_in_numbers(callers(4)) == [0, 1, 2, 3]


def test_allowances_alone_are_read_if_enabled(alice: Any, limit: Any) -> None:
    limit(ALLOWANCES=True)
    SessionAllowance.objects.create(user=alice, sessions=1, policy="end_oldest")

    assert signed_in_numbers(callers(2)) == [1]


@pytest.mark.parametrize(("names", "stay"), [(["staff"], 3), (["staff", "clerks"], 2), ([], 1)])
def test_the_strictest_matching_limit_overrides_the_general_one(
    names: list[str], stay: int, alice: Any, limit: Any, groups: None
) -> None:
    limit(
        LIMIT=1,
        LIMITS=[
            {"fact": "groups", "value": "staff", "sessions": 3, "policy": "end_oldest"},
            {"fact": "groups", "value": "clerks", "sessions": 2, "policy": "end_oldest"},
        ],
    )
    alice.groups.set([Group.objects.create(name=name) for name in names])

    assert len(signed_in_numbers(callers(4))) == stay


def test_of_two_equal_limits_the_stricter_policy_applies(alice: Any, limit: Any, groups: None) -> None:
    named = [
        {"fact": "groups", "value": "staff", "sessions": 1, "policy": policy} for policy in ("end_oldest", "deny_new")
    ]
    limit(LIMITS=named)
    alice.groups.set([Group.objects.create(name="staff")])
    callers(1)

    assert refusal(Caller()).status_code == 403


def test_without_a_limit_no_query_is_made(alice: Any) -> None:
    with counted() as costs:
        assert concurrency.make_room(user=alice) is None

    assert costs.queries == 0


@pytest.mark.parametrize("before", [0, 2])
def test_a_limit_costs_two_queries_while_there_is_room(before: int, alice: Any, limit: Any) -> None:
    callers(1)  # from then on the device is known, which costs one query less
    Session.objects.all().delete()
    callers(before)
    with counted() as without:
        issue(alice)

    limit(LIMIT=10)
    with counted() as limited:
        issue(alice)

    assert limited.queries - without.queries == 2, limited.statements


def test_a_sites_own_login_ends_an_excess_session(alice: Any, limit: Any) -> None:
    limit(LIMIT=1)
    first, second = Browser(), Browser()
    first.get(f"/own/login/?who={alice.get_username()}")
    assert first.get("/own/count/").json()["who"] == alice.get_username()

    second.get(f"/own/login/?who={alice.get_username()}")

    assert second.get("/own/count/").json()["who"] == alice.get_username()
    assert first.get("/own/count/").json()["who"] == ""


def test_a_sites_own_login_is_refused_and_recorded(alice: Any, limit: Any, recorded_events: list[Any]) -> None:
    limit(LIMIT=1, LIMIT_POLICY="deny_new")
    signed_in = callers(1)
    browser = Browser()

    refused = browser.get(f"/own/login/?who={alice.get_username()}")

    assert refused.status_code == 400
    assert browser.get("/own/count/").json()["who"] == ""
    assert signed_in_numbers(signed_in) == [0]
    denied = [event for event in recorded_events if event.name.value == "auth.login.denied"]
    assert [(event.reason, event.subject.pk) for event in denied] == [("limit", alice.pk)]


@pytest.mark.parametrize(
    ("limits", "check"),
    [
        ({"LIMIT": 0}, "E011"),
        ({"LIMIT": "3"}, "E011"),
        ({"LIMIT": True}, "E011"),
        ({"LIMIT_POLICY": "end_newest"}, "E011"),
        ({"LIMITS": [{"fact": "nobodys", "value": "x", "sessions": 1}]}, "E012"),
        ({"LIMITS": [{"fact": "groups", "value": "x", "sessions": 0}]}, "E012"),
        ({"LIMITS": [{"fact": "groups", "value": "x", "sessions": 1, "policy": "?"}]}, "E012"),
        ({"LIMITS": [{"fact": "groups", "value": "x", "sesions": 1}]}, "E012"),
        ({"LIMIT": 1, "LIMIT_POLICY": "ask"}, "W011"),
    ],
)
def test_an_invalid_limit_is_reported(limits: dict[str, Any], check: str, limit: Any, groups: None) -> None:
    limit(**limits)

    assert [message.id for message in checks.check_limits()] == [f"auth_sessions.{check}"]


def test_a_valid_limit_is_not_reported(limit: Any, groups: None) -> None:
    limit(LIMIT=3, LIMITS=[{"fact": "groups", "value": "x", "sessions": 1, "policy": "deny_new"}])

    assert checks.check_limits() == []


def test_an_unread_allowance_is_reported(alice: Any, limit: Any) -> None:
    SessionAllowance.objects.create(user=alice, sessions=1, policy="end_oldest")

    unread = checks.check_allowances(databases=["default"])
    limit(LIMIT=3)

    assert [message.id for message in unread] == ["auth_sessions.W012"]
    assert checks.check_allowances(databases=["default"]) == checks.check_allowances(databases=None) == []
