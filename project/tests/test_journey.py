"""A login from end to end, with all packages: what it leaves in the trail, and what it costs."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client as Browser

from auth_audit.models import AuditEntry
from auth_audit.testing.trail import recorded
from auth_core.testing.counting import counted
from auth_core.testing.redis import OwnRedis
from auth_core.testing.settings import redis_url
from conftest import PASSWORD

# With a cache, what it copied is dropped after the commit, which a test's own transaction would never see.
pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))


def log_in(browser: Browser, password: str = PASSWORD, transport: str = "token") -> Any:
    body = {"identifier": "alice@example.org", "password": password, "transport": transport}
    return browser.post("/api/v1/login/", body, content_type="application/json")


def create_user(monkeypatch: pytest.MonkeyPatch, *options: str, password: str = PASSWORD) -> Any:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    out = io.StringIO()
    call_command("create_user", "--email", "Alice@Example.org", "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def test_from_create_user_to_logout_everything_is_in_the_trail(monkeypatch: pytest.MonkeyPatch) -> None:
    made = create_user(monkeypatch, "--verified")
    caller = Browser()

    granted = log_in(caller).json()
    header = {"HTTP_AUTHORIZATION": f"Session {granted['credential']}"}
    me = caller.get("/api/v1/me/", **header)
    left = caller.post("/api/v1/logout/", {}, content_type="application/json", **header)
    after = caller.get("/api/v1/me/", **header)

    assert made == {"id": me.json()["id"], "email": "Alice@Example.org", "email_verified": True}
    assert (me.status_code, left.status_code, after.status_code) == (200, 204, 401)
    assert [entry.name for entry in recorded()] == [
        "auth.account.created",
        "auth.login.started",
        "session.session.opened",
        "session.device.added",
        "auth.login.succeeded",
        "session.session.ended",
        "auth.logout.completed",
    ]
    assert {str(entry.subject_id) for entry in recorded()} == {made["id"]}
    assert {str(entry.session_id) for entry in recorded()[2:]} - {"None"} == {granted["session"]["id"]}
    assert len({entry.correlation_id for entry in recorded()[1:5]}) == 1


def test_an_answer_names_the_entries_it_left(alice: Any) -> None:
    answer = log_in(Browser(), password="not the password at all")

    entry = recorded("auth.login.failed")[0]
    assert entry.correlation_id == answer.headers["X-Request-ID"] == answer.json()["request_id"]


@pytest.mark.parametrize(
    ("options", "password", "said"),
    [
        ([], "short", "at least 15"),
        ([], "alice alice alice", "name"),
        ([], "p" * 129, "too long"),
    ],
)
def test_a_password_that_may_not_be_is_refused(
    options: list[str], password: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match=said):
        create_user(monkeypatch, *options, password=password)

    assert not AuditEntry.objects.exists()


def test_an_address_that_is_taken_is_refused(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="There is an account"):
        create_user(monkeypatch)


@pytest.mark.django_db(transaction=True)
def test_what_a_login_costs(shared: OwnRedis, alice: Any) -> None:
    caller = Browser()
    log_in(caller)

    with counted() as cost:
        granted = log_in(caller)

    assert granted.status_code == 200
    assert len(cost.entries) == 3
    # Two of them for the risk: the logins before, and guesses just before.
    assert cost.queries <= 13, cost.statements
    assert cost.round_trips == 2


@pytest.mark.django_db(transaction=True)
def test_what_me_and_logout_cost(shared: OwnRedis, alice: Any) -> None:
    caller = Browser()
    header = {"HTTP_AUTHORIZATION": f"Session {log_in(caller).json()['credential']}"}
    caller.get("/api/v1/me/", **header)

    with counted() as me:
        caller.get("/api/v1/me/", **header)
    with counted() as logout:
        caller.post("/api/v1/logout/", {}, content_type="application/json", **header)

    assert (me.queries, me.round_trips) == (0, 1)
    assert len(logout.entries) == 2
    # The session, its end, and the epoch of the cache: whether every node has seen it (auth_sessions.epochs).
    assert logout.queries == 3, logout.statements
    assert logout.round_trips == 2


@pytest.mark.django_db(transaction=True)
def test_me_without_the_cache(shared: OwnRedis, alice: Any) -> None:
    caller = Browser()
    header = {"HTTP_AUTHORIZATION": f"Session {log_in(caller).json()['credential']}"}
    caller.get("/api/v1/me/", **header)

    shared.flush()
    costs = []
    for _request in range(2):
        with counted() as cost:
            caller.get("/api/v1/me/", **header)
        costs.append(cost.queries)
    shared.kill()
    for _request in range(5):
        with counted() as cost:
            caller.get("/api/v1/me/", **header)
        costs.append(cost.queries)

    assert costs == [2, 0, 2, 2, 2, 2, 2]
