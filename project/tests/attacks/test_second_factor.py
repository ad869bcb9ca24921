"""Attempts to bypass the second factor."""

from typing import Any

import pytest

from attacks.stage import PASSWORD, Caller, Stage

pytestmark = [pytest.mark.postgresql, pytest.mark.live]


def test_code_guesses_are_limited_by_the_budget_of_the_user(stage: Stage, attacker: Caller) -> None:
    """A033: unlimited code guesses over many logins."""
    person = stage.person(totp=True)
    outcomes: list[str] = []

    with stage.attack(
        PASSWORD,
        leaves={
            "auth.login.started": 3,
            "auth.login.challenged": 3,
            "auth.login.failed": 10,
            "mfa.factor.failed": 10,
            "auth.limit.refused": 1,
        },
        changes=["auth_mfa_totpfactor"],
    ):
        for _login in range(3):
            token = attacker.log_in(person.address).json()["token"]
            for _guess in range(4):
                answer = attacker.answer(token, person.wrong_code())
                outcomes.append(answer.json()["code"])
        right = attacker.answer(token, person.code())

    assert outcomes == ["challenge_failed"] * 10 + ["too_many_attempts"] * 2
    assert right.status_code == 429, "the budget is spent, even for the right code"


def test_the_token_of_a_pending_login_is_not_a_credential(stage: Stage, attacker: Caller) -> None:
    """A036: use the token of a pending login as a credential."""
    person = stage.person(totp=True)
    token = attacker.log_in(person.address).json()["token"]

    with stage.attack(token, leaves="/me/"):
        answers = [
            attacker.api("GET", path, headers={"Authorization": f"Session {token}"})
            for path in ("me/", "sessions/", "mfa/factors/")
        ]

    assert [answer.status_code for answer in answers] == [401] * 3


def test_a_password_alone_cannot_add_a_factor(stage: Stage, attacker: Caller) -> None:
    """A039: enrol a factor with the stolen password of a user who has one."""
    person = stage.person(totp=True)
    token = attacker.log_in(person.address).json()["token"]

    with stage.attack(token, PASSWORD, leaves="mfa/totp/"):
        enrolment = attacker.api("POST", "mfa/totp/", {"name": "Mine"}, headers={"Authorization": f"Session {token}"})
        answered = attacker.api("POST", "login/answer/", {"token": token, "answer": {"name": "Mine"}})

    assert enrolment.status_code == 401
    assert not answered.ok


def test_the_admin_site_uses_the_common_login(stage: Stage, attacker: Caller) -> None:
    """A042: log in at /admin/login/ without the second factor."""
    person = stage.administrator()
    form = {"username": person.address, "password": PASSWORD, "next": "/admin/"}

    with stage.attack(PASSWORD, leaves="admin/login/"):
        page = attacker.get("/admin/login/?next=/admin/")
        answer = attacker.fetch_csrf().post("/admin/login/", data=form, headers={"Referer": attacker.own_url})
        inside = attacker.get("/admin/")

    assert page.headers["Location"].startswith("/login/")
    assert answer.status_code in (302, 303, 403, 405)
    assert inside.status_code == 302
    assert inside.headers["Location"].startswith(("/admin/login/", "/login/"))


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"code": ""}, {"code": None}, {"code": []}, {"verified": True}, {"code": "000000", "verified": True}],
    ids=str,
)
def test_an_empty_answer_does_not_advance_the_login(answer: Any, stage: Stage, attacker: Caller) -> None:
    """A045: post an empty answer to pass the step."""
    person = stage.person(totp=True)
    token = attacker.log_in(person.address).json()["token"]

    with stage.attack(token, leaves="login/answer/", changes=["auth_mfa_totpfactor"]) as traces:
        traces.may_leave("mfa.factor.failed")
        refused = attacker.api("POST", "login/answer/", {"token": token, "answer": answer})

    assert refused.status_code in (400, 401)
    assert "credential" not in refused.json()


def test_a_forged_device_cookie_does_not_skip_the_second_factor(stage: Stage, attacker: Caller) -> None:
    """A048: forge the device cookie, knowing only its name."""
    person = stage.person(totp=True)
    forged = [person.address, person.id, "eyJ1c2VyIjoxfQ", "x" * 43, f"{person.id}.{'x' * 43}"]

    with stage.attack(PASSWORD, leaves={"auth.login.started": len(forged), "auth.login.challenged": len(forged)}):
        outcomes = [
            attacker.log_in(person.address, headers={"Cookie": f"__Host-device={value}; __Host-login={value}"})
            for value in forged
        ]

    assert [outcome.json()["status"] for outcome in outcomes] == ["challenged"] * len(forged)


def test_signing_out_ends_the_pending_login(stage: Stage, attacker: Caller) -> None:
    """A051: sign out between password and code, and continue."""
    person = stage.person(totp=True)
    challenged = attacker.submit("/login/", identifier=person.address, password=PASSWORD)
    signed_out = attacker.submit("/logout/", shown_at="/login/answer/")

    with stage.attack(PASSWORD, leaves='"route":"account/"'):
        account = attacker.get("/account/")
        answered = attacker.submit("/login/answer/", code=person.code())
        afterwards = attacker.get("/account/")

    assert (challenged.status_code, signed_out.status_code) == (303, 303)
    assert answered.status_code != 500
    assert (account.status_code, afterwards.status_code) == (302, 302)
