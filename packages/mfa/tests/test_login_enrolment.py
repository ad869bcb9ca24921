"""Enrolment inside a login that demands a factor."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.testing.browsers import answer, code_of, log_in, new_browser, post
from auth_core.testing.mails import code_in, the_mail
from auth_mfa import oath
from auth_mfa.models import TotpFactor, WebauthnFactor
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import current_code

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def everyone(settings: Any) -> None:
    """A site where every user must have a second factor."""
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}


@pytest.fixture
def to_add(alice: User, browser: Browser) -> Any:
    """A login that has proved password and mailbox and must add a factor."""
    return answer(browser, log_in(browser), code=code_in(the_mail()))


def choose(browser: Browser, challenged: Any, choice: str) -> Any:
    return post(browser, "login/challenge", token=challenged.json()["token"], choice=choice)


def give(browser: Browser, challenged: Any, **members: Any) -> Any:
    return post(browser, "login/answer", token=challenged.json()["token"], answer=members)


def test_a_phishing_resistant_method_is_offered(to_add: Any) -> None:
    assert [choice["method"] for choice in to_add.json()["choices"]] == ["totp", "passkey"]


def test_a_passkey_is_added_and_proved_in_one_step(to_add: Any, browser: Browser) -> None:
    challenged = choose(browser, to_add, "passkey")
    made = Authenticator(backup_eligible=True).make(challenged.json()["challenge"]["data"]["options"])

    granted = give(browser, challenged, credential=made, name="Laptop")

    assert challenged.json()["challenge"]["kind"] == "enrolment_passkey"
    assert (granted.status_code, granted.json()["session"]["acr"]) == (200, "aal2")
    assert WebauthnFactor.objects.get().name == "Laptop"
    assert log_in(new_browser()).json()["challenge"]["kind"] == "webauthn"


def test_a_passkey_made_for_another_login_is_refused(to_add: Any, browser: Browser, alice: User) -> None:
    challenged = choose(browser, to_add, "passkey")
    options = challenged.json()["challenge"]["data"]["options"]
    choose(browser, to_add, "passkey")
    refused = give(browser, challenged, credential=Authenticator().make(options))

    assert code_of(refused) == "challenge_failed"
    assert not WebauthnFactor.objects.exists()


def test_an_app_can_be_added_after_choosing_a_passkey(to_add: Any, browser: Browser) -> None:
    choose(browser, to_add, "passkey")
    challenged = choose(browser, to_add, "totp")
    key = oath.from_base32(challenged.json()["challenge"]["data"]["secret"])

    assert give(browser, challenged, code=current_code(key)).status_code == 200
    assert TotpFactor.objects.get().confirmed


def test_uncounted_methods_are_not_offered(alice: User, browser: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["passkey", "security_key"]}
    challenged = answer(browser, log_in(browser), code=code_in(the_mail()))

    assert challenged.json()["challenge"]["kind"] == "enrolment_passkey"
    assert code_of(choose(browser, challenged, "totp")) == "invalid_request"


def test_a_login_is_refused_if_no_method_can_be_added(alice: User, browser: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["sms_code"]}

    assert code_of(answer(browser, log_in(browser), code=code_in(the_mail()))) == "more_proof_required"


@pytest.mark.parametrize("members", [{}, {"code": 1}, {"credential": {}}, {"code": "123456", "x": 1}])
def test_a_malformed_answer_is_refused_and_adds_nothing(members: dict[str, Any], to_add: Any, browser: Browser) -> None:
    assert code_of(give(browser, to_add, **members)) == "invalid_request"
    assert not TotpFactor.objects.get().confirmed


@pytest.mark.parametrize("members", [{}, {"credential": 5}, {"credential": {}, "name": 5}, {"credential": {}, "name": "x" * 65}])  # fmt: skip
def test_a_malformed_passkey_is_refused_and_adds_nothing(
    members: dict[str, Any], to_add: Any, browser: Browser
) -> None:
    challenged = choose(browser, to_add, "passkey")

    assert code_of(give(browser, challenged, **members)) == "invalid_request"
    assert not WebauthnFactor.objects.exists()
