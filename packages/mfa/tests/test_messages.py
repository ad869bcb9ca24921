"""Codes by text message and email in a login."""

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.login.journey import question_of
from auth_core.models import PendingLogin
from auth_core.testing.browsers import answer, code_of, log_in, new_browser, post, with_csrf
from auth_core.testing.clock import Clock
from auth_core.testing.mails import code_in, delivered, the_mail
from auth_core.testing.texts import code_in_text, delivered_texts, the_text
from auth_mfa.events import MfaEvent
from auth_mfa.models import PhoneFactor, SentCode
from auth_mfa.testing.factors import NUMBER, add_mailbox, add_phone, add_totp

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("captured_texts")]


def another(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def resend(browser: Browser, challenged: Any) -> Any:
    challenge = challenged.json()
    return post(browser, "login/challenge", token=challenge["token"], choice=challenge["challenge"]["choice"])


def test_a_text_message_contains_the_code_of_the_login(alice: User, browser: Browser) -> None:
    factor = add_phone(alice)

    challenged = log_in(browser)
    text = the_text()
    granted = answer(browser, challenged, code=code_in_text(text))

    challenge = challenged.json()["challenge"]
    assert (challenged.status_code, challenge["kind"], challenge["method"]) == (202, "code", "sms_code")
    assert challenge["data"] == {"digits": 6, "to": "•••• 67", "is_sent": True}
    assert challenged.json()["choices"] == [{"id": str(factor.pk), "method": "sms_code", "label": "Mobile"}]
    assert text.number == NUMBER
    assert (granted.status_code, granted.json()["session"]["acr"]) == (200, "aal2")
    assert granted.json()["session"]["amr"] == ["mfa", "otp", "pwd", "sms"]


def test_an_email_code_is_a_second_factor_but_never_aal2(alice: User, browser: Browser) -> None:
    add_mailbox(alice)

    challenged = log_in(browser)
    granted = answer(browser, challenged, code=code_in(the_mail()))

    assert challenged.json()["challenge"]["data"]["to"] == "a•••@example.org"
    assert (granted.status_code, granted.json()["session"]["acr"]) == (200, "aal1")


@pytest.mark.asvs("6.5.5")
@pytest.mark.parametrize(("after", "code"), [(timedelta(minutes=9, seconds=59), None), (timedelta(minutes=10, seconds=1), "challenge_failed")])  # fmt: skip
def test_a_code_expires_after_ten_minutes(
    after: timedelta, code: str | None, alice: User, browser: Browser, clock: Clock, settings: Any
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PENDING_LOGIN_LIFETIME": timedelta(hours=1)}
    add_phone(alice)
    challenged = log_in(browser)
    sent = code_in_text(the_text())

    clock.forward(seconds=after.total_seconds())
    answered = answer(browser, challenged, code=sent)

    assert answered.json().get("code") == code


@pytest.mark.asvs("6.5.1")
def test_a_code_works_once(alice: User, browser: Browser) -> None:
    add_phone(alice)
    challenged = log_in(browser)
    sent = code_in_text(the_text())

    assert answer(browser, challenged, code=sent).status_code == 200
    assert code_of(answer(with_csrf(browser), challenged, code=sent)) == "login_expired"


@pytest.mark.asvs("6.6.2")
@pytest.mark.parametrize("add", [add_phone, add_mailbox])
def test_a_code_is_refused_in_another_login(add: Any, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = count(111_111)
    monkeypatch.setattr("auth_mfa.messages.delivery.new_code", lambda digits: str(next(numbers)))
    add(alice)
    first, second = new_browser(), new_browser()
    challenged = log_in(first)
    code = _last_code()
    other = log_in(second)

    assert code_of(answer(second, other, code=code)) == "challenge_failed"
    assert answer(first, challenged, code=code).status_code == 200


def test_a_resend_sends_the_same_code_until_it_expires(
    alice: User, browser: Browser, clock: Clock, settings: Any
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PENDING_LOGIN_LIFETIME": timedelta(hours=1)}
    add_phone(alice)
    challenged = log_in(browser)
    first = code_in_text(the_text())

    assert resend(browser, challenged).status_code == 202
    assert code_in_text(the_text()) == first

    clock.forward(minutes=11)
    resend(browser, challenged)
    second = code_in_text(the_text())
    assert answer(browser, challenged, code=second).status_code == 200


@pytest.mark.asvs("6.6.3")
def test_a_new_code_does_not_renew_the_guesses(
    alice: User, browser: Browser, settings: Any, atomic_requests: None
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PENDING_LOGIN_ATTEMPTS": 50, "BUDGETS": _wide()}
    add_phone(alice)
    challenged = log_in(browser)
    sent = code_in_text(the_text())

    codes = []
    for _guess in range(6):
        codes.append(code_of(answer(browser, challenged, code=another(sent))))
        resend(browser, challenged)
        delivered_texts()

    assert set(codes) == {"challenge_failed"}
    assert SentCode.objects.get().guesses_left == 0
    assert code_of(answer(browser, challenged, code=sent)) == "challenge_failed"


def test_a_second_code_shares_the_guesses_of_the_first(
    alice: User, browser: Browser, clock: Clock, settings: Any
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PENDING_LOGIN_LIFETIME": timedelta(hours=1)}
    add_phone(alice)
    challenged = log_in(browser)
    for _guess in range(3):
        answer(browser, challenged, code=another(code_in_text(_resent(browser, challenged))))
    clock.forward(minutes=11)

    resend(browser, challenged)

    assert SentCode.objects.get().guesses_left == 2


def test_a_limit_withholds_the_text_but_not_the_login(
    alice: User, browser: Browser, recorded_events: list[Any]
) -> None:
    phone, _app = add_phone(alice), add_totp(alice)
    for _login in range(5):
        browser = new_browser()
        challenged = log_in(browser)
        challenged = post(browser, "login/challenge", token=challenged.json()["token"], choice=str(phone.pk))
        assert challenged.json()["challenge"]["data"]["is_sent"]
    delivered_texts()

    browser = new_browser()
    challenged = log_in(browser)
    withheld = post(browser, "login/challenge", token=challenged.json()["token"], choice=str(phone.pk))

    assert (withheld.status_code, withheld.json()["challenge"]["data"]["is_sent"]) == (202, False)
    assert delivered_texts() == []
    assert MfaEvent.CODE_WITHHELD in [event.name for event in recorded_events]
    assert {choice["method"] for choice in withheld.json()["choices"]} == {"totp", "sms_code"}


def test_showing_a_page_again_sends_nothing(alice: User, browser: Browser) -> None:
    add_phone(alice)
    log_in(browser)
    delivered_texts()

    question = question_of(PendingLogin.objects.get())

    assert question is not None
    assert question.data == {"digits": 6, "to": "•••• 67", "is_sent": True}
    assert delivered_texts() == []


def test_without_a_gateway_a_phone_is_not_asked_for(alice: User, browser: Browser, settings: Any) -> None:
    add_phone(alice)
    add_totp(alice)
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": ""}

    assert [choice["method"] for choice in log_in(browser).json()["choices"]] == ["totp"]


def test_a_phone_is_added_with_the_code_sent_to_it(browser_of_alice: Browser, alice: User) -> None:
    begun = post(browser_of_alice, "mfa/sms", number="+41 79 123 45 67", name="Mobile")
    assert (begun.status_code, begun.json()["to"], begun.json()["is_sent"]) == (201, "•••• 67", True)
    assert log_in(new_browser()).status_code == 200, "what is begun is no factor yet"

    sent = code_in_text(the_text())
    wrong = post(browser_of_alice, f"mfa/sms/{begun.json()['id']}/confirm", code=another(sent))
    confirmed = post(browser_of_alice, f"mfa/sms/{begun.json()['id']}/confirm", code=sent)

    assert code_of(wrong) == "challenge_failed"
    assert (confirmed.status_code, confirmed.json()["method"]) == (200, "sms_code")
    assert log_in(new_browser()).status_code == 202


def test_a_mailbox_is_added_with_the_code_sent_to_it(browser_of_alice: Browser, alice: User) -> None:
    begun = post(browser_of_alice, "mfa/email")
    again = post(browser_of_alice, f"mfa/email/{begun.json()['id']}/resend")
    codes = {code_in(mail) for mail in delivered()}

    confirmed = post(browser_of_alice, f"mfa/email/{begun.json()['id']}/confirm", code=codes.pop())

    assert (begun.status_code, again.status_code, codes) == (201, 202, set())
    assert (confirmed.status_code, confirmed.json()["method"]) == (200, "email_code")
    assert post(with_csrf(browser_of_alice), "mfa/email").status_code == 401, "now the mailbox is to be proved as well"


def test_an_enrolment_allows_five_guesses(browser_of_alice: Browser, alice: User, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": _wide()}
    begun = post(browser_of_alice, "mfa/sms", number=NUMBER)
    sent = code_in_text(the_text())
    for _guess in range(5):
        post(browser_of_alice, f"mfa/sms/{begun.json()['id']}/confirm", code=another(sent))

    refused = post(browser_of_alice, f"mfa/sms/{begun.json()['id']}/confirm", code=sent)

    assert code_of(refused) == "challenge_failed"
    assert not PhoneFactor.objects.get().confirmed


def test_another_users_enrolment_is_not_found(browser_of_alice: Browser, alice: User) -> None:
    theirs = PhoneFactor(user=User.objects.create_user("bob"), name="x", number=NUMBER)
    theirs.save()

    assert code_of(post(browser_of_alice, f"mfa/sms/{theirs.pk}/confirm", code="123456")) == "not_found"
    assert code_of(post(browser_of_alice, f"mfa/sms/{theirs.pk}/resend")) == "not_found"


@pytest.mark.asvs("6.6.1")
@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("+1 900 555 0123", "number_refused"),
        ("+44 9012 345678", "number_refused"),
        ("+41 44 668 18 00", "number_refused"),
        ("079 123 45 67", "invalid_request"),
        ("+41791234", "invalid_request"),
        ("+41791234567;ext=5", "invalid_request"),
        ("+" + "".join(chr(0xFF10 + int(digit)) for digit in "41791234567"), "invalid_request"),
        ("+" + "4" * 31, "invalid_request"),
        ("+41791234567\n+41791234568", "invalid_request"),
        ("", "invalid_request"),
    ],
)
def test_a_refused_number_gets_no_text(number: str, code: str, browser_of_alice: Browser) -> None:
    refused = post(browser_of_alice, "mfa/sms", number=number)

    assert code_of(refused) == code
    assert not PhoneFactor.objects.exists()
    assert delivered_texts() == []


def test_a_site_can_limit_the_countries_of_texts(browser_of_alice: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"SMS_COUNTRIES": ["DE", "AT"]}

    assert code_of(post(browser_of_alice, "mfa/sms", number=NUMBER)) == "number_refused"
    assert post(browser_of_alice, "mfa/sms", number="+49 1512 3456789").status_code == 201


def _wide() -> dict[str, dict[str, tuple[int, timedelta]]]:
    many = (1000, timedelta(minutes=15))
    return {"answer": {"person": many}, "sms": {"number": many}}


def _last_code() -> str:
    texts, mails = delivered_texts(), delivered()
    return code_in_text(texts[-1]) if texts else code_in(mails[-1])


def _resent(browser: Browser, challenged: Any) -> Any:
    delivered_texts()
    resend(browser, challenged)
    return the_text()
