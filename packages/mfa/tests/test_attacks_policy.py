"""Ways past what policy demands."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.events import AuthEvent
from auth_core.testing.mails import code_in, delivered, the_mail
from auth_core.testing.sessions import sign_in
from auth_mfa import oath
from auth_mfa.factors import remove_factor
from auth_mfa.models import RecoveryCodeSet, TotpFactor, WebauthnFactor
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import add_mailbox, add_phone, add_recovery_codes
from conftest import answer, code_of, current_code, enrolled, log_in, new_browser, post

pytestmark = pytest.mark.django_db


def choose(browser: Browser, asked: Any, choice: str) -> Any:
    return post(browser, "login/challenge", token=asked.json()["token"], choice=choice)


def secret_of(asked: Any) -> str:
    return str(asked.json()["challenge"]["data"].get("secret", ""))


@pytest.fixture
def everyone(settings: Any) -> None:
    """A site in which everybody must have a second factor."""
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}


@pytest.mark.usefixtures("captured_texts")
def test_a_kind_that_the_site_gives_up_does_not_leave_the_password_alone(
    alice: User, browser: Browser, settings: Any
) -> None:
    """A setting that is lost, such as that of the gateway, would take the second factor from everybody at once."""
    add_phone(alice)
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": ""}

    assert code_of(log_in(browser)) == "more_proof_required"


@pytest.mark.usefixtures("captured_texts")
def test_recovery_codes_open_what_a_kind_protected_that_the_site_gave_up(
    alice: User, browser: Browser, settings: Any
) -> None:
    add_phone(alice)
    sheet = add_recovery_codes(alice)
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": ""}

    assert answer(browser, log_in(browser), sheet.codes[0]).status_code == 200


@pytest.mark.parametrize("required_of", [[], ["everyone"]])
def test_a_mailbox_is_asked_of_whoever_enrolled_it_where_mailboxes_are_given_up(
    required_of: list[str], alice: User, browser: Browser, settings: Any
) -> None:
    """They never had a factor that counts: nobody has to reset them before they add one."""
    add_mailbox(alice)
    kinds = ["totp", "passkey", "security_key"]
    settings.AUTH_MFA = {"REQUIRED_OF": required_of, "METHODS": kinds, "COUNTED_METHODS": kinds}

    asked = log_in(browser)
    proved = answer(browser, asked, code_in(the_mail()))

    assert (asked.status_code, asked.json()["challenge"]["method"]) == (202, "email_code")
    assert proved.json().get("challenge", {}).get("kind") == ("enrolment" if required_of else None)


def test_a_factor_that_does_not_count_is_good_for_as_long_as_grace_lasts(
    alice: User, browser: Browser, settings: Any
) -> None:
    settings.AUTH_MFA = {
        "REQUIRED_OF": ["everyone"], "GRACE_PERIOD": timedelta(days=7), "COUNTED_METHODS": ["passkey"]
    }  # fmt: skip
    enrolled(alice)

    assert answer(browser, log_in(browser), current_code()).status_code == 200


def test_a_key_that_policy_does_not_count_is_not_added_where_policy_demands_one(
    alice: User, browser: Browser, settings: Any
) -> None:
    """It would be the first factor ever: the next login would be refused for good."""
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["totp", "passkey"]}
    asked = choose(browser, answer(browser, log_in(browser), code_in(the_mail())), "passkey")
    made = Authenticator().make(asked.json()["challenge"]["data"]["options"])
    made["clientExtensionResults"] = {}

    refused = post(browser, "login/answer", token=asked.json()["token"], answer={"credential": made})

    assert code_of(refused) == "invalid_request"
    assert not WebauthnFactor.objects.exists()
    assert choose(browser, asked, "totp").json()["challenge"]["kind"] == "enrolment"


def test_the_sheet_that_goes_with_the_last_factor_is_recorded(alice: User, recorded_events: list[Any]) -> None:
    factor = enrolled(alice)
    sheet = add_recovery_codes(alice).factor

    remove_factor(factor=factor)

    removed = [event.target for event in recorded_events if event.name is AuthEvent.FACTOR_REMOVED]
    assert removed == [("factor", str(factor.pk)), ("factor", str(sheet.pk))]
    assert not RecoveryCodeSet.objects.exists()


@pytest.mark.usefixtures("everyone")
def test_a_key_that_somebody_begins_elsewhere_is_not_shown_in_a_login(
    alice: User, browser: Browser, settings: Any
) -> None:
    """The thief of a password begins an app, and waits until its owner takes that for their own."""
    settings.AUTH_MFA = {}
    thief = sign_in(alice)
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}
    asked = answer(browser, log_in(browser), code_in(the_mail()))
    planted = post(thief, "mfa/totp")
    assert planted.status_code == 201
    planted_secret = planted.json()["secret"]

    taken = answer(browser, asked, current_code(oath.from_base32(planted_secret)))

    assert code_of(taken) == "challenge_failed"
    assert not TotpFactor.objects.filter(confirmed=True).exists()


@pytest.mark.usefixtures("everyone")
def test_an_app_that_was_begun_in_one_login_is_not_confirmed_in_another(alice: User, browser: Browser) -> None:
    first = answer(browser, log_in(browser), code_in(the_mail()))
    other = new_browser()
    delivered()
    second = answer(other, log_in(other), code_in(the_mail()))

    mixed = answer(browser, first, current_code(oath.from_base32(secret_of(second))))

    assert code_of(mixed) == "challenge_failed"
    assert answer(other, second, current_code(oath.from_base32(secret_of(second)))).status_code == 200
