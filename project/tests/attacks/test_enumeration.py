"""Responses that reveal whether an account exists."""

from typing import Any

import pytest

from attacks.stage import PASSWORD, Caller, Stage

pytestmark = [pytest.mark.postgresql, pytest.mark.live]


def comparable(answer: Any) -> tuple[int, dict[str, Any], list[str]]:
    """Return the parts of a response that an attacker can compare: all but the request id."""
    body = answer.json()
    body.pop("request_id", None)
    return answer.status_code, body, sorted(answer.headers)


def test_unknown_wrong_disabled_and_locked_are_answered_alike(stage: Stage, attacker: Caller) -> None:
    """A120: another message for a disabled user."""
    wrong, disabled, locked = stage.person(), stage.person(), stage.person()
    stage.execute("UPDATE auth_accounts_user SET is_active = false WHERE email = %s", disabled.address)
    stage.lock(locked)

    with stage.attack(PASSWORD, leaves={"auth.login.failed": 4}):
        answers = [
            attacker.log_in("nobody.at.all@example.org"),
            attacker.log_in(wrong.address, "not the password at all"),
            attacker.log_in(disabled.address),
            attacker.log_in(locked.address),
        ]

    assert [comparable(answer) for answer in answers] == [comparable(answers[0])] * 4
    assert answers[0].json()["code"] == "invalid_credentials"


@pytest.mark.parametrize("path", ["password/forgot/", "signup/", "email/resend/"])
def test_mail_requests_are_answered_alike_for_known_and_unknown(path: str, stage: Stage, attacker: Caller) -> None:
    """The class of A120: forms that send a mail."""
    person = stage.person()
    browser = attacker.fetch_csrf()
    extra = {"password": PASSWORD} if path == "signup/" else {}

    with stage.attack(PASSWORD, leaves={}, changes=["auth_core_resetlink", "auth_core_emailverification"]) as traces:
        traces.may_leave("auth.password.reset_requested", "auth.signup.requested", "auth.confirmation.resent")
        existing = browser.api("POST", path, {"email": person.address, **extra})
        unknown = browser.api("POST", path, {"email": f"nobody.{path[0]}@example.org", **extra})

    assert comparable(existing) == comparable(unknown)
