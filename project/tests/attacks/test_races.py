"""Parallel requests."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from attacks.stage import PASSWORD, Stage

pytestmark = [pytest.mark.postgresql, pytest.mark.live]


def in_parallel(calls: list[Callable[[], Any]]) -> list[Any]:
    """Start all calls behind one barrier, and return their results."""
    barrier = threading.Barrier(len(calls))

    def wait_and_call(call: Callable[[], Any]) -> Any:
        barrier.wait(timeout=60)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(wait_and_call, calls))


def test_parallel_requests_with_one_code_open_one_session(stage: Stage) -> None:
    """A126: the same code in parallel requests."""
    person = stage.person(totp=True)
    callers = [stage.caller() for _number in range(6)]
    tokens = [caller.log_in(person.address).json()["token"] for caller in callers]
    code = person.code()

    with stage.attack(
        code, PASSWORD, leaves={}, changes=["auth_sessions_session", "auth_sessions_device", "auth_mfa_totpfactor"]
    ) as traces:
        traces.may_leave("auth", "mfa.factor", "session.session.opened", "session.device.added")
        pairs = zip(callers, tokens, strict=True)
        outcomes = in_parallel(
            [lambda caller=caller, token=token: caller.answer(token, code) for caller, token in pairs]
        )

    assert sum(outcome.ok for outcome in outcomes) == 1
    assert traces.entries["session.session.opened"] == 1
    assert traces.entries["mfa.factor.used"] == 1


def test_a_burst_of_codes_is_limited_to_the_attempts_of_the_login(stage: Stage) -> None:
    """A129: more parallel guesses than the login has attempts."""
    person = stage.person(totp=True)
    caller = stage.caller()
    token = caller.log_in(person.address).json()["token"]
    guesses = [(stage.caller(), person.wrong_code()) for _number in range(20)]

    with stage.attack(token, PASSWORD, leaves={}, changes=["auth_mfa_totpfactor"]) as traces:
        traces.may_leave("auth", "mfa.factor")
        answers = in_parallel([lambda who=who, code=code: who.answer(token, code) for who, code in guesses])
        right = caller.answer(token, person.code())

    assert traces.entries["mfa.factor.failed"] <= 5
    assert Counter(answer.status_code for answer in answers)[200] == 0
    assert right.json()["code"] == "login_expired"


CHANGED_TABLES = ["auth_rbac_assignment", "auth_rbac_graphversion", "auth_rbac_personversion", "auth_sessions_session"]
ROLE_MANAGEMENT = [f"auth_rbac.{act}_assignment" for act in ("view", "add", "delete")]


def test_two_administrators_who_remove_each_other_leave_one(stage: Stage) -> None:
    """A132: two administrators remove each other."""
    superuser = stage.caller().sign_in(stage.administrator())
    role = stage.role(superuser, "a132", permissions=ROLE_MANAGEMENT)
    people = [stage.person(totp=True), stage.person(totp=True)]
    callers = [stage.caller().sign_in(person) for person in people]
    ids = [caller.api("GET", "me/").json()["id"] for caller in callers]
    bodies = [{"holder": {"kind": "person", "id": user}, "role": role} for user in ids]
    assignments = [superuser.api("POST", "assignments/", body).json()["id"] for body in bodies]

    with stage.no_superuser(), stage.attack(leaves={}, changes=CHANGED_TABLES) as traces:
        traces.may_leave("rbac.assignment.revoked", "auth.access.denied", "session.session.rotated")
        pairs = zip(callers, reversed(assignments), strict=True)
        answers = in_parallel(
            [lambda who=who, other=other: who.api("DELETE", f"assignments/{other}/") for who, other in pairs]
        )
        remaining = stage.service.query(f"SELECT count(*) FROM auth_rbac_assignment WHERE role_id = '{role}'")

    assert remaining == [(1,)], [answer.text for answer in answers]
    assert sum(answer.status_code == 204 for answer in answers) == 1
