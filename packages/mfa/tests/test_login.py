"""The second factor in a login."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.test import Client as Browser
from django.utils import timezone
from django_otp import devices_for_user

from auth_core.contracts import Purpose, Transport
from auth_core.errors import ChallengeFailed
from auth_core.models import PendingLogin
from auth_core.testing.browsers import answer, code_of, log_in, new_browser, post
from auth_mfa.events import MfaEvent
from auth_mfa.login import SecondFactor
from auth_mfa.models import TotpFactor
from auth_mfa.testing.factors import add_totp, current_code, wrong_code

pytestmark = pytest.mark.django_db

OTHER = b"another key of twenty"


@pytest.mark.asvs("6.3.3")
def test_a_login_asks_for_the_factor(alice: User, browser: Browser, recorded_events: list[Any]) -> None:
    factor = add_totp(alice)

    challenged = log_in(browser)
    granted = answer(browser, challenged, code=current_code())

    assert (challenged.status_code, challenged.json()["challenge"]["kind"]) == (202, "code")
    assert challenged.json()["choices"] == [{"id": str(factor.pk), "method": "totp", "label": "Phone"}]
    assert "session" not in challenged.json()
    assert granted.json()["session"]["acr"] == "aal2"
    assert granted.json()["session"]["amr"] == ["mfa", "otp", "pwd"]
    assert MfaEvent.FACTOR_USED in [event.name for event in recorded_events]


def test_the_password_alone_does_not_sign_in(alice: User, browser: Browser) -> None:
    add_totp(alice)
    log_in(browser)

    assert browser.get("/api/v1/me/").status_code == 401


def test_a_code_may_contain_a_space(alice: User, browser: Browser) -> None:
    add_totp(alice)
    code = current_code()

    assert answer(browser, log_in(browser), code=f"{code[:3]} {code[3:]}").status_code == 200


@pytest.mark.asvs("6.5.1")
@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_works_once(steps: int, alice: User) -> None:
    add_totp(alice)
    with time_machine.travel(timezone.now(), tick=False):
        first, second = new_browser(), new_browser()
        code = current_code(steps=steps)

        assert answer(first, log_in(first), code=code).status_code == 200
        assert code_of(answer(second, log_in(second), code=code)) == "challenge_failed"


def test_an_older_code_is_refused_after_a_newer_one(alice: User) -> None:
    add_totp(alice)
    with time_machine.travel(timezone.now(), tick=False):
        first, second = new_browser(), new_browser()

        assert answer(first, log_in(first), code=current_code(steps=1)).status_code == 200
        assert code_of(answer(second, log_in(second), code=current_code())) == "challenge_failed"


def test_a_clock_set_back_revives_no_code(alice: User) -> None:
    add_totp(alice)
    now = timezone.now()
    with time_machine.travel(now, tick=False):
        browser, code = new_browser(), current_code()
        assert answer(browser, log_in(browser), code=code).status_code == 200
    with time_machine.travel(now - timedelta(hours=1), tick=False):
        browser = new_browser()
        assert code_of(answer(browser, log_in(browser), code=current_code())) == "challenge_failed"


def test_another_factor_may_be_chosen(alice: User, browser: Browser) -> None:
    add_totp(alice)
    tablet = add_totp(alice, key=OTHER, name="Tablet")
    challenged = log_in(browser)

    assert code_of(answer(browser, challenged, code=current_code(OTHER))) == "challenge_failed"
    chosen = post(browser, "login/challenge", token=challenged.json()["token"], choice=str(tablet.pk))
    assert chosen.json()["challenge"]["choice"] == str(tablet.pk)
    assert answer(browser, challenged, code=current_code(OTHER)).status_code == 200


def test_another_users_factor_cannot_be_chosen(alice: User, browser: Browser) -> None:
    add_totp(alice)
    theirs = add_totp(User.objects.create_user("bob"))

    refused = post(browser, "login/challenge", token=log_in(browser).json()["token"], choice=str(theirs.pk))

    assert code_of(refused) == "invalid_request"


def test_a_factor_removed_meanwhile_is_no_longer_asked_for(alice: User, browser: Browser) -> None:
    factor = add_totp(alice)
    challenged = log_in(browser)
    factor.delete()

    assert answer(browser, challenged, code=current_code()).status_code == 200


@pytest.mark.asvs("6.3.1")
def test_guesses_are_counted_over_all_logins_of_a_user(alice: User, atomic_requests: None) -> None:
    add_totp(alice)
    codes = []
    for _login in range(3):
        browser = new_browser()
        challenged = log_in(browser)
        codes += [code_of(answer(browser, challenged, code=wrong_code())) for _guess in range(4)]

    assert codes == ["challenge_failed"] * 10 + ["too_many_attempts"] * 2


def test_a_factor_is_disabled_after_too_many_failures_in_a_row(
    alice: User, settings: Any, recorded_events: list[Any]
) -> None:
    settings.AUTH_MFA = {"MAX_FAILURES": 3}
    add_totp(alice)
    browser = new_browser()
    challenged = log_in(browser)
    for _guess in range(3):
        answer(browser, challenged, code=wrong_code())

    assert code_of(answer(browser, challenged, code=current_code())) == "challenge_failed"
    assert [event.reason for event in recorded_events if event.name is MfaEvent.FACTOR_FAILED][-1] == "exhausted"
    assert MfaEvent.FACTOR_DISABLED in [event.name for event in recorded_events]


def test_a_correct_code_resets_the_failures(alice: User) -> None:
    factor = add_totp(alice)
    browser = new_browser()
    challenged = log_in(browser)
    answer(browser, challenged, code=wrong_code())
    answer(browser, challenged, code=current_code())

    factor.refresh_from_db()
    assert factor.failures == 0


@pytest.mark.parametrize(
    "members",
    [{}, {"code": None}, {"code": 123456}, {"code": "12345"}, {"code": "\uff11\uff12\uff13\uff14\uff15\uff16"}, {"code": ["123456"]},
     {"code": "123456", "method": "password"}, {"code": "1" * 100_000}],
)  # fmt: skip
def test_a_malformed_code_is_refused_and_spends_nothing(members: dict[str, Any], alice: User, browser: Browser) -> None:
    add_totp(alice)
    challenged = log_in(browser)

    refused = post(browser, "login/answer", token=challenged.json()["token"], answer=members)

    assert refused.status_code in (400, 413)
    assert PendingLogin.objects.get().attempts_left == 5
    assert TotpFactor.objects.get().failures == 0
    assert answer(browser, challenged, code=current_code()).status_code == 200


def test_a_login_without_a_user_is_challenged_and_fails(db: None) -> None:
    login = PendingLogin.objects.open(user=None, backend="", purpose=Purpose.LOGIN, transport=Transport.TOKEN)
    step = SecondFactor()

    assert step.is_pending(login)
    assert step.challenge(login, None).kind == "code"
    with pytest.raises(ChallengeFailed):
        step.answer(login, {"code": current_code(bytes(20))})


def test_django_otp_finds_the_factor_and_spends_its_codes(alice: User) -> None:
    add_totp(alice)
    TotpFactor.objects.create(user=alice, name="begun", seed="GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    (device,) = devices_for_user(alice)
    code = current_code()

    assert device.verify_token(code)
    assert not device.verify_token(code)


def test_a_site_without_the_login_step_is_warned(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": []}
    settings.AUTH_MFA = {"TOPT_ISSUER": "x"}

    assert {"auth_mfa.W001", "auth_mfa.E001"} <= {message.id for message in run_checks()}
