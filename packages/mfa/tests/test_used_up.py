"""A login without attempts refuses every action and sends nothing."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import include, path

from auth_core.errors import LoginExpired
from auth_core.models import OutboxMessage, PendingLogin
from auth_core.testing.browsers import answer, code_of, log_in, log_in_on_page, post, with_csrf
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import code_in, delivered
from auth_core.testing.sessions import sign_in
from auth_core.testing.texts import delivered_texts
from auth_mfa.models import SentCode, TotpFactor, WebauthnChallenge
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import add_mailbox, add_phone, add_totp, current_code, wrong_code

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__), pytest.mark.usefixtures("captured_texts")]

urlpatterns = [
    path("api/v1/", include("auth_mfa.api.urls")),
    path("api/v1/", include("auth_core.api.urls")),
    path("account/second-factors/", include("auth_mfa.pages.urls")),
    path("", include("auth_core.pages.urls")),
]

ANSWER = "/login/answer/"


def use_up(browser: Browser, challenged: Any) -> list[Any]:
    return [answer(browser, challenged, code=wrong_code()) for _attempt in range(5)]


def effects() -> dict[str, Any]:
    """Return the effects that an action on a pending login could have."""
    return {
        "messages": OutboxMessage.objects.count(),
        "codes": list(SentCode.objects.values_list("pk", "sent")),
        "challenges": set(WebauthnChallenge.objects.values_list("pk", "spent_at")),
        "factors": set(TotpFactor.objects.values_list("pk", "confirmed", "failures")),
    }


def test_after_the_last_wrong_answer_a_correct_one_is_refused(alice: User, browser: Browser) -> None:
    add_totp(alice)
    challenged = log_in(browser)

    wrong = use_up(browser, challenged)

    assert [answered.json()["attempts_left"] for answered in wrong] == [4, 3, 2, 1, 0]
    assert code_of(answer(browser, challenged, code=current_code())) == "login_expired"


@pytest.mark.parametrize("add", [add_phone, add_mailbox])
def test_after_the_last_wrong_answer_no_code_is_sent(add: Any, alice: User, browser: Browser) -> None:
    add_totp(alice)
    other = add(alice)
    challenged = log_in(browser)
    use_up(browser, challenged)
    before = effects()

    refused = post(browser, "login/challenge", token=challenged.json()["token"], choice=str(other.pk))

    assert (refused.status_code, code_of(refused)) == (401, "login_expired")
    assert effects() == before
    assert (delivered_texts(), delivered()) == ([], [])


def test_after_the_last_wrong_answer_the_pages_say_that_the_login_has_ended(alice: User) -> None:
    add_totp(alice)
    phone, browser = add_phone(alice), Browser()
    log_in_on_page(browser)
    for _attempt in range(4):
        assert "This code is wrong" in browser.post(ANSWER, {"code": wrong_code()}).content.decode()
    last = browser.post(ANSWER, {"code": wrong_code()})
    before = effects()

    shown = browser.get(ANSWER)
    chosen = browser.post("/login/choose/", {"choice": str(phone.pk)})
    answered = browser.post(ANSWER, {"code": current_code()})

    assert (last.status_code, "Your sign-in has expired" in last.content.decode()) == (401, True)
    assert shown.headers["Location"] == chosen.headers["Location"] == "/login/"
    assert (answered.status_code, "Your sign-in has expired" in answered.content.decode()) == (401, True)
    assert effects() == before
    assert delivered_texts() == []


def test_a_correct_last_attempt_still_counts(alice: User, browser: Browser) -> None:
    add_totp(alice)
    challenged = log_in(browser)
    for _attempt in range(4):
        answer(browser, challenged, code=wrong_code())

    assert answer(browser, challenged, code=current_code()).status_code == 200


def test_a_login_that_needs_more_than_its_last_attempt_ends_and_sends_nothing(
    alice: User, browser: Browser, settings: Any
) -> None:
    """The last attempt proves the mailbox, and the required enrolment could not be answered."""
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}
    challenged = log_in(browser)
    sent = code_in(delivered()[-1])
    PendingLogin.objects.update(attempts_left=1)
    before = effects()

    refused = answer(browser, challenged, code=sent)

    assert (refused.status_code, code_of(refused)) == (401, "login_expired")
    assert effects() == before


def test_a_used_up_step_up_shows_and_sends_nothing(alice: User) -> None:
    phone = add_phone(alice)
    browser = with_csrf(sign_in(alice, assurance="aal2"))
    challenged = post(browser, "reauthenticate", required_assurance="aal2", max_age=0)
    for _attempt in range(5):
        assert code_of(answer_password(browser, challenged, "wrong horse")) == "challenge_failed"
    before = effects()

    refused = [
        answer_password(browser, challenged, PASSWORD),
        post(browser, "login/challenge", token=challenged.json()["token"], choice=str(phone.pk)),
    ]

    assert [code_of(each) for each in refused] == ["login_expired"] * 2
    assert effects() == before


def test_a_step_up_that_needs_more_than_its_last_attempt_sends_no_text(alice: User) -> None:
    add_phone(alice)
    browser = with_csrf(sign_in(alice, assurance="aal2"))
    challenged = post(browser, "reauthenticate", required_assurance="aal2", max_age=0)
    PendingLogin.objects.update(attempts_left=1)
    before = effects()

    refused = answer_password(browser, challenged, PASSWORD)

    assert code_of(refused) == "login_expired"
    assert effects() == before


def answer_password(browser: Browser, challenged: Any, password: str) -> Any:
    return answer(browser, challenged, password=password)


@pytest.mark.parametrize("choice", ["totp", "passkey"])
def test_a_used_up_enrolment_in_a_login_begins_nothing(
    choice: str, alice: User, browser: Browser, settings: Any
) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}
    to_add = answer(browser, log_in(browser), code=code_in(delivered()[-1]))
    PendingLogin.objects.update(attempts_left=0)
    before = effects()

    refused = post(browser, "login/challenge", token=to_add.json()["token"], choice=choice)

    assert code_of(refused) == "login_expired"
    assert effects() == before


def test_a_used_up_login_issues_no_challenge_for_a_passkey(alice: User, browser: Browser) -> None:
    key = Authenticator(discoverable=False).added_to(alice)
    challenged = log_in(browser)
    credential = key.sign(challenged.json()["challenge"]["data"]["options"])
    PendingLogin.objects.update(attempts_left=0)
    before = effects()
    token = challenged.json()["token"]

    chosen = post(browser, "login/challenge", token=token, choice=str(key.factor.pk))
    answered = answer(browser, token, credential=credential)

    assert (code_of(chosen), code_of(answered)) == ("login_expired", "login_expired")
    assert effects() == before


def test_a_login_that_ends_while_a_code_is_sent_again_sends_none(
    alice: User, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last wrong answer is committed after the choice has read the login and before its text is sent."""
    phone = add_phone(alice)
    challenged = log_in(browser)
    again = {"token": challenged.json()["token"], "choice": str(phone.pk)}
    assert post(browser, "login/challenge", **again).status_code == 202
    find = type(PendingLogin.objects).find

    def find_and_lose(manager: Any, token: str, caller: Any) -> PendingLogin:
        login = find(manager, token, caller)
        PendingLogin.objects.update(attempts_left=0)
        return login

    monkeypatch.setattr(type(PendingLogin.objects), "find", find_and_lose)
    before = effects()

    refused = post(browser, "login/challenge", **again)

    assert code_of(refused) == "login_expired"
    assert effects() == before


@pytest.mark.parametrize(
    "ended", [{"attempts_left": 0}, {"closed_at": "2020-01-01T00:00Z"}, {"expires_at": "2020-01-01T00:00Z"}]
)
def test_a_choice_is_not_stored_in_an_ended_login(ended: dict[str, Any], alice: User, browser: Browser) -> None:
    add_totp(alice)
    log_in(browser)
    login = PendingLogin.objects.get()
    PendingLogin.objects.update(**ended)

    with pytest.raises(LoginExpired):
        login.remember_choice("another")

    assert PendingLogin.objects.get().choice == ""
