"""Adding a factor inside the login that demands one."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.testing.mails import code_in, the_mail
from auth_mfa import oath
from auth_mfa.models import TotpFactor, WebauthnFactor
from auth_mfa.testing.authenticator import Authenticator
from conftest import answer, code_of, current_code, log_in, new_browser, post

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everyone(settings: Any) -> None:
    """A site in which everybody must have a second factor."""
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}


@pytest.fixture
def to_add(alice: User, browser: Browser) -> Any:
    """A login that has proved password and mailbox, and is to add a factor."""
    return answer(browser, log_in(browser), code_in(the_mail()))


def choose(browser: Browser, asked: Any, choice: str) -> Any:
    return post(browser, "login/challenge", token=asked.json()["token"], choice=choice)


def give(browser: Browser, asked: Any, **given: Any) -> Any:
    return post(browser, "login/answer", token=asked.json()["token"], answer=given)


def test_it_offers_something_that_phishing_cannot_steal(to_add: Any) -> None:
    assert [choice["method"] for choice in to_add.json()["choices"]] == ["totp", "passkey"]


def test_a_passkey_is_added_and_proved_in_one(to_add: Any, browser: Browser) -> None:
    asked = choose(browser, to_add, "passkey")
    made = Authenticator(backup_eligible=True).make(asked.json()["challenge"]["data"]["options"])

    granted = give(browser, asked, credential=made, name="Laptop")

    assert asked.json()["challenge"]["kind"] == "enrolment_passkey"
    assert (granted.status_code, granted.json()["session"]["acr"]) == (200, "aal2")
    assert WebauthnFactor.objects.get().name == "Laptop"
    assert log_in(new_browser()).json()["challenge"]["kind"] == "webauthn"


def test_a_passkey_that_was_made_for_another_login_is_refused(to_add: Any, browser: Browser, alice: User) -> None:
    asked = choose(browser, to_add, "passkey")
    options = asked.json()["challenge"]["data"]["options"]
    choose(browser, to_add, "passkey")
    refused = give(browser, asked, credential=Authenticator().make(options))

    assert code_of(refused) == "challenge_failed"
    assert not WebauthnFactor.objects.exists()


def test_an_app_is_added_after_a_passkey_was_thought_of(to_add: Any, browser: Browser) -> None:
    choose(browser, to_add, "passkey")
    asked = choose(browser, to_add, "totp")
    key = oath.from_base32(asked.json()["challenge"]["data"]["secret"])

    assert give(browser, asked, code=current_code(key)).status_code == 200
    assert TotpFactor.objects.get().confirmed


def test_what_policy_does_not_count_is_not_offered(alice: User, browser: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["passkey", "security_key"]}
    asked = answer(browser, log_in(browser), code_in(the_mail()))

    assert asked.json()["challenge"]["kind"] == "enrolment_passkey"
    assert code_of(choose(browser, asked, "totp")) == "invalid_request"


def test_where_nothing_can_be_added_the_login_is_refused(alice: User, browser: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["sms_code"]}

    assert code_of(answer(browser, log_in(browser), code_in(the_mail()))) == "more_proof_required"


@pytest.mark.parametrize("given", [{}, {"code": 1}, {"credential": {}}, {"code": "123456", "x": 1}])
def test_what_is_no_answer_is_refused_and_adds_nothing(given: dict[str, Any], to_add: Any, browser: Browser) -> None:
    assert code_of(give(browser, to_add, **given)) == "invalid_request"
    assert not TotpFactor.objects.get().confirmed


@pytest.mark.parametrize("given", [{}, {"credential": 5}, {"credential": {}, "name": 5}, {"credential": {}, "name": "x" * 65}])  # fmt: skip
def test_what_is_no_passkey_is_refused_and_adds_nothing(given: dict[str, Any], to_add: Any, browser: Browser) -> None:
    asked = choose(browser, to_add, "passkey")

    assert code_of(give(browser, asked, **given)) == "invalid_request"
    assert not WebauthnFactor.objects.exists()
