"""Ways round the second factor."""

from typing import Any

import pytest

from attacks.stage import PASSWORD, Caller, Stage

pytestmark = [pytest.mark.postgresql, pytest.mark.live]


def test_guesses_at_codes_end_with_the_budget_of_the_person(stage: Stage, attacker: Caller) -> None:
    """A033: guess codes without end, over many logins."""
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
    assert right.status_code == 429, "the budget is spent, also for the right code"


def test_the_token_of_an_unfinished_login_opens_nothing(stage: Stage, attacker: Caller) -> None:
    """A036: use what the password gave as if the second factor had been proved."""
    person = stage.person(totp=True)
    token = attacker.log_in(person.address).json()["token"]

    with stage.attack(token, leaves="/me/"):
        answers = [
            attacker.api("GET", path, headers={"Authorization": f"Session {token}"})
            for path in ("me/", "sessions/", "mfa/factors/")
        ]

    assert [answer.status_code for answer in answers] == [401] * 3


def test_nobody_adds_a_factor_with_a_password_alone(stage: Stage, attacker: Caller) -> None:
    """A039: enrol a factor of one's own with the stolen password of somebody who has one."""
    person = stage.person(totp=True)
    token = attacker.log_in(person.address).json()["token"]

    with stage.attack(token, PASSWORD, leaves="mfa/totp/"):
        begun = attacker.api("POST", "mfa/totp/", {"name": "Mine"}, headers={"Authorization": f"Session {token}"})
        answered = attacker.api("POST", "login/answer/", {"token": token, "answer": {"name": "Mine"}})

    assert begun.status_code == 401
    assert not answered.ok


def test_the_login_of_the_admin_site_is_the_login_of_everybody(stage: Stage, attacker: Caller) -> None:
    """A042: log in at /admin/login/, past the second factor."""
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
def test_an_empty_answer_advances_nothing(answer: Any, stage: Stage, attacker: Caller) -> None:
    """A045: post nothing, and let the stage be passed."""
    person = stage.person(totp=True)
    token = attacker.log_in(person.address).json()["token"]

    with stage.attack(token, leaves="login/answer/", changes=["auth_mfa_totpfactor"]) as traces:
        traces.may_leave("mfa.factor.failed")
        refused = attacker.api("POST", "login/answer/", {"token": token, "answer": answer})

    assert refused.status_code in (400, 401)
    assert "credential" not in refused.json()


def test_a_forged_cookie_of_a_device_skips_no_factor(stage: Stage, attacker: Caller) -> None:
    """A048: forge the cookie that remembers a browser, knowing the name alone."""
    person = stage.person(totp=True)
    forged = [person.address, person.id, "eyJ1c2VyIjoxfQ", "x" * 43, f"{person.id}.{'x' * 43}"]

    with stage.attack(PASSWORD, leaves={"auth.login.started": len(forged), "auth.login.challenged": len(forged)}):
        outcomes = [
            attacker.log_in(person.address, headers={"Cookie": f"__Host-device={value}; __Host-login={value}"})
            for value in forged
        ]

    assert [outcome.json()["status"] for outcome in outcomes] == ["challenged"] * len(forged)


def test_signing_out_in_the_middle_of_a_login_leaves_nothing(stage: Stage, attacker: Caller) -> None:
    """A051: sign out between password and code, and go on."""
    person = stage.person(totp=True)
    asked = attacker.submit("/login/", identifier=person.address, password=PASSWORD)
    left = attacker.submit("/logout/", shown_at="/login/answer/")

    with stage.attack(PASSWORD, leaves='"route":"account/"'):
        account = attacker.get("/account/")
        answered = attacker.submit("/login/answer/", code=person.code())
        still = attacker.get("/account/")

    assert (asked.status_code, left.status_code) == (303, 303)
    assert answered.status_code != 500
    assert (account.status_code, still.status_code) == (302, 302)
