"""The profile `high`: only phishing-resistant factors without messages, for all users (ASVS Level 3)."""

from typing import Any

import pytest

from auth_core.testing.browsers import answer, log_in, new_browser, post
from auth_core.testing.mails import code_in, the_mail
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import NUMBER, add_mailbox, add_phone
from enterprise_auth.core.profiles import second_factors

pytestmark = [
    pytest.mark.django_db(transaction=bool(redis_url())),
    pytest.mark.usefixtures("captured_texts"),
    pytest.mark.asvs("6.6.1"),
]


@pytest.fixture(autouse=True)
def high(settings: Any) -> None:
    """A service with the profile `high`."""
    settings.AUTH_MFA = second_factors("high", required_of=[], sms_countries=[])


def test_every_user_must_add_a_passkey(alice: Any) -> None:
    browser = new_browser()
    to_add = answer(browser, log_in(browser), code=code_in(the_mail()))
    credential = Authenticator().make(to_add.json()["challenge"]["data"]["options"])

    granted = answer(browser, to_add, credential=credential)

    assert [choice["method"] for choice in to_add.json()["choices"]] == ["passkey"]
    assert (granted.status_code, granted.json()["session"]["acr"]) == (200, "aal3")


def test_neither_texts_nor_mails_are_factors(alice: Any) -> None:
    Authenticator().added_to(alice)
    add_phone(alice)
    add_mailbox(alice)
    browser = sign_in(alice, assurance="aal3")

    assert [choice["method"] for choice in log_in(new_browser()).json()["choices"]] == ["passkey"]
    for path, body in (("mfa/sms", {"number": NUMBER}), ("mfa/email", {}), ("mfa/totp", {})):
        assert post(browser, path, **body).status_code == 400


def test_a_passkey_alone_needs_its_user_verified(alice: Any) -> None:
    key = Authenticator(backup_eligible=True).added_to(alice)
    browser = new_browser()
    ceremony = post(browser, "mfa/passkeys/login").json()
    credential = key.sign(ceremony["options"], user_verified=False)

    refused = post(browser, "mfa/passkeys/login/answer", token=ceremony["token"], credential=credential)

    assert ceremony["options"]["userVerification"] == "required"
    assert refused.json()["code"] == "invalid_credentials"
