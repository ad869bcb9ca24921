"""The profile `high`: only phishing-resistant factors without messages, for all users (ASVS Level 3)."""

from typing import Any

import pytest

from auth_core.testing.browsers import answer, log_in, new_browser, post
from auth_core.testing.mails import code_in, the_mail
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import NUMBER, add_mailbox, add_phone
from enterprise_auth.core.profiles import provider, second_factors

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


def test_the_provider_follows_fapi(settings: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, **provider("high")}

    metadata = new_browser().get("/.well-known/openid-configuration").json()

    assert metadata["require_pushed_authorization_requests"] is True
    assert metadata["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert provider("default") == {}


@pytest.mark.parametrize("path", ["/api/v1/me/", "/api/v1/csrf/"])
def test_scripts_of_other_origins_may_send_a_proof_and_read_the_nonce(path: str, settings: Any) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    origin = {"HTTP_ORIGIN": "https://app.example"}

    preflight = new_browser().options(path, HTTP_ACCESS_CONTROL_REQUEST_METHOD="GET", **origin)
    answer = new_browser().get(path, **origin)

    assert "dpop" in preflight.headers["Access-Control-Allow-Headers"]
    assert "DPoP-Nonce" in answer.headers["Access-Control-Expose-Headers"]
