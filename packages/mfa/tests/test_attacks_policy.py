"""Attempts to bypass the policy."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.events import AuthEvent
from auth_core.testing.browsers import answer, code_of, log_in, new_browser, post
from auth_core.testing.mails import code_in, delivered, the_mail
from auth_core.testing.sessions import sign_in
from auth_mfa import oath
from auth_mfa.factors import remove_factor
from auth_mfa.models import RecoveryCodeSet, TotpFactor, WebauthnFactor
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import add_mailbox, add_phone, add_recovery_codes, add_totp, current_code

pytestmark = pytest.mark.django_db


def choose(browser: Browser, challenged: Any, choice: str) -> Any:
    return post(browser, "login/challenge", token=challenged.json()["token"], choice=choice)


def secret_of(challenged: Any) -> str:
    return str(challenged.json()["challenge"]["data"].get("secret", ""))


@pytest.fixture
def everyone(settings: Any) -> None:
    """A site where every user must have a second factor."""
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}


@pytest.mark.usefixtures("captured_texts")
def test_a_method_that_is_no_longer_offered_does_not_leave_the_password_alone(
    alice: User, browser: Browser, settings: Any
) -> None:
    """A lost setting, such as that of the gateway, must not remove the second factor of every user."""
    add_phone(alice)
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": ""}

    assert code_of(log_in(browser)) == "more_proof_required"


@pytest.mark.usefixtures("captured_texts")
def test_recovery_codes_still_work_when_the_method_is_no_longer_offered(
    alice: User, browser: Browser, settings: Any
) -> None:
    add_phone(alice)
    sheet = add_recovery_codes(alice)
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": ""}

    assert answer(browser, log_in(browser), code=sheet.codes[0]).status_code == 200


@pytest.mark.parametrize("required_of", [[], ["everyone"]])
def test_an_enrolled_mailbox_is_still_asked_for_when_email_codes_are_no_longer_offered(
    required_of: list[str], alice: User, browser: Browser, settings: Any
) -> None:
    """The user never had a counted factor, so they need no reset before they add one."""
    add_mailbox(alice)
    kinds = ["totp", "passkey", "security_key"]
    settings.AUTH_MFA = {"REQUIRED_OF": required_of, "METHODS": kinds, "COUNTED_METHODS": kinds}

    challenged = log_in(browser)
    proved = answer(browser, challenged, code=code_in(the_mail()))

    assert (challenged.status_code, challenged.json()["challenge"]["method"]) == (202, "email_code")
    assert proved.json().get("challenge", {}).get("kind") == ("enrolment" if required_of else None)


def test_an_uncounted_factor_suffices_during_the_grace_period(alice: User, browser: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {
        "REQUIRED_OF": ["everyone"], "GRACE_PERIOD": timedelta(days=7), "COUNTED_METHODS": ["passkey"]
    }  # fmt: skip
    add_totp(alice)

    assert answer(browser, log_in(browser), code=current_code()).status_code == 200


def test_an_uncounted_key_cannot_be_added_as_the_required_factor(alice: User, browser: Browser, settings: Any) -> None:
    """As the first factor it would make every later login fail."""
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["totp", "passkey"]}
    challenged = choose(browser, answer(browser, log_in(browser), code=code_in(the_mail())), "passkey")
    made = Authenticator().make(challenged.json()["challenge"]["data"]["options"])
    made["clientExtensionResults"] = {}

    refused = answer(browser, challenged, credential=made)

    assert code_of(refused) == "invalid_request"
    assert not WebauthnFactor.objects.exists()
    assert choose(browser, challenged, "totp").json()["challenge"]["kind"] == "enrolment"


def test_removing_the_sheet_with_the_last_factor_is_recorded(alice: User, recorded_events: list[Any]) -> None:
    factor = add_totp(alice)
    sheet = add_recovery_codes(alice).factor

    remove_factor(factor=factor)

    removed = [event.target for event in recorded_events if event.name is AuthEvent.FACTOR_REMOVED]
    assert removed == [("factor", str(factor.pk)), ("factor", str(sheet.pk))]
    assert not RecoveryCodeSet.objects.exists()


@pytest.mark.usefixtures("everyone")
def test_a_login_does_not_show_a_key_begun_elsewhere(alice: User, browser: Browser, settings: Any) -> None:
    """A thief of the password begins an app and waits for the owner to confirm it."""
    settings.AUTH_MFA = {}
    thief = sign_in(alice)
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}
    challenged = answer(browser, log_in(browser), code=code_in(the_mail()))
    planted = post(thief, "mfa/totp")
    assert planted.status_code == 201
    planted_secret = planted.json()["secret"]

    refused = answer(browser, challenged, code=current_code(oath.from_base32(planted_secret)))

    assert code_of(refused) == "challenge_failed"
    assert not TotpFactor.objects.filter(confirmed=True).exists()


@pytest.mark.usefixtures("everyone")
def test_an_app_begun_in_one_login_cannot_be_confirmed_in_another(alice: User, browser: Browser) -> None:
    first = answer(browser, log_in(browser), code=code_in(the_mail()))
    other = new_browser()
    delivered()
    second = answer(other, log_in(other), code=code_in(the_mail()))

    mixed = answer(browser, first, code=current_code(oath.from_base32(secret_of(second))))

    assert code_of(mixed) == "challenge_failed"
    assert answer(other, second, code=current_code(oath.from_base32(secret_of(second)))).status_code == 200
