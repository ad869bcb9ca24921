"""A login from end to end with all packages: its entries in the trail, and its cost."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client as Browser

from auth_audit.models import AuditEntry
from auth_audit.testing.trail import recorded
from auth_core.flows.account_creation import create_account
from auth_core.people.locking import disable_account, lock_account
from auth_core.testing.browsers import answer, log_in, post, with_credential
from auth_core.testing.counts import counted
from auth_core.testing.factories import PASSWORD
from auth_core.testing.gaps import changed_table
from auth_core.testing.redis import OwnRedis
from auth_core.testing.settings import redis_url
from auth_mfa.testing.factors import add_totp, current_code

# The cache is cleared after the commit, which never happens inside a test's transaction.
pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

ON_POSTGRESQL = connection.vendor == "postgresql"


def create_user(monkeypatch: pytest.MonkeyPatch, *options: str, password: str = PASSWORD) -> Any:
    monkeypatch.setattr("sys.stdin", io.StringIO(password + "\n"))
    out = io.StringIO()
    call_command("create_user", "--email", "Alice@Example.org", "--json", *options, stdout=out)
    return json.loads(out.getvalue())


def test_the_trail_records_everything_from_create_user_to_logout(monkeypatch: pytest.MonkeyPatch) -> None:
    made = create_user(monkeypatch, "--verified")

    logged_in = log_in(Browser(), transport="token")
    caller, granted = with_credential(logged_in), logged_in.json()
    me = caller.get("/api/v1/me/")
    left = post(caller, "logout")
    after = caller.get("/api/v1/me/")

    assert made == {"id": me.json()["id"], "email": "Alice@example.org", "email_verified": True}
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


def test_the_request_id_of_a_response_is_in_its_entries(alice: Any) -> None:
    refused = log_in(Browser(), transport="token", password="not the password at all")

    entry = recorded("auth.login.failed")[0]
    assert entry.correlation_id == refused.headers["X-Request-ID"] == refused.json()["request_id"]


@pytest.mark.parametrize(
    ("options", "password", "message"),
    [
        ([], "short", "at least 15"),
        ([], "alice alice alice", "name"),
        ([], "p" * 129, "too long"),
    ],
)
def test_create_user_refuses_a_bad_password(
    options: list[str], password: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CommandError, match=message):
        create_user(monkeypatch, *options, password=password)

    assert not AuditEntry.objects.exists()


def test_create_user_refuses_a_taken_address(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match="An account with this email address already exists"):
        create_user(monkeypatch)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("transport", ["token", "cookie"])
def test_the_cost_of_a_login(transport: str, shared: OwnRedis, alice: Any) -> None:
    caller = Browser()
    log_in(caller, transport=transport)
    caller.cookies.pop("sessionid", None)

    with counted() as cost:
        granted = log_in(caller, transport=transport)

    assert granted.status_code == 200
    # The charge, the user, the past logins with the factors, the session with its device, and the refund. Other
    # databases read the factors and write the device, the session and the last login one by one.
    assert (cost.queries, len(cost.entries)) == ((5, 1) if ON_POSTGRESQL else (8, 3)), cost.statements
    changed = [changed_table(sql) for sql in cost.statements if changed_table(sql)]
    assert (changed[0], changed[-1]) == ("auth_core_guessbudget", "auth_core_guessbudget")
    assert "auth_core_pendinglogin" not in changed
    assert cost.round_trips == 2


@pytest.mark.django_db(transaction=True)
def test_the_cost_of_a_login_in_a_new_browser(shared: OwnRedis, alice: Any) -> None:
    log_in(Browser())

    with counted() as cost:
        log_in(Browser())

    # In addition: the addresses of the user, the link and the mail, and on SQLite the check for other devices.
    assert (cost.queries, len(cost.entries)) == ((8, 1) if ON_POSTGRESQL else (12, 4)), cost.statements


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("transport", ["token", "cookie"])
def test_the_cost_of_a_login_with_a_second_factor(transport: str, shared: OwnRedis, alice: Any) -> None:
    caller = Browser()
    add_totp(alice)
    answer(caller, log_in(caller, transport=transport), code=current_code(steps=-1))
    caller.cookies.pop("sessionid", None)

    with counted() as password:
        challenged = log_in(caller, transport=transport)
    with counted() as answering:
        granted = answer(caller, challenged, code=current_code())

    assert (challenged.status_code, granted.status_code) == (202, 200)
    assert (password.queries, len(password.entries)) == ((6, 1) if ON_POSTGRESQL else (7, 2)), password.statements
    assert (answering.queries, len(answering.entries)) == (15 if ON_POSTGRESQL else 17, 3), answering.statements


@pytest.mark.django_db(transaction=True)
def test_refusals_cost_the_same_for_every_user(shared: OwnRedis, alice: Any) -> None:
    disabled, locked = (create_account(email=f"{name}@example.org", password=PASSWORD) for name in ("dis", "locked"))
    disable_account(user=disabled)
    lock_account(user=locked)
    guesses = {"unknown": PASSWORD, "alice": "not the password at all", "dis": PASSWORD, "locked": PASSWORD}

    costs = []
    for name, password in guesses.items():
        with counted() as cost:
            refused = log_in(Browser(), transport="token", password=password, identifier=f"{name}@example.org")
        costs.append((refused.status_code, cost.queries, len(cost.entries), cost.round_trips))

    assert costs == [(401, 3, 1, 1)] * 4


@pytest.mark.django_db(transaction=True)
def test_the_cost_of_me_and_logout(shared: OwnRedis, alice: Any) -> None:
    caller = with_credential(log_in(Browser(), transport="token"))
    caller.get("/api/v1/me/")

    with counted() as me:
        caller.get("/api/v1/me/")
    with counted() as logout:
        post(caller, "logout")

    assert (me.queries, me.round_trips) == (0, 1)
    # The end of the session, and the epoch of the cache (auth_sessions.revocation.epochs). Other databases read the
    # session first, and insert both entries one by one. What the session gave to applications ends with it.
    assert (logout.queries, len(logout.entries)) == ((3, 1) if ON_POSTGRESQL else (4, 2)), logout.statements
    assert logout.round_trips == 2


@pytest.mark.django_db(transaction=True)
def test_the_cost_of_me_without_the_cache(shared: OwnRedis, alice: Any) -> None:
    caller = with_credential(log_in(Browser(), transport="token"))
    caller.get("/api/v1/me/")

    shared.flush()
    costs = []
    for _request in range(2):
        with counted() as cost:
            caller.get("/api/v1/me/")
        costs.append(cost.queries)
    shared.kill()
    for _request in range(5):
        with counted() as cost:
            caller.get("/api/v1/me/")
        costs.append(cost.queries)

    # The session with its user, their second factors and the version of their permissions: one statement on PostgreSQL.
    one = 1 if ON_POSTGRESQL else 3
    assert costs == [one, 0, one, one, one, one, one]
