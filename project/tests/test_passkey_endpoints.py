"""The well-known addresses of the passkey pages."""

from django.test import Client as Browser


def test_passkey_endpoints_use_the_public_url() -> None:
    answer = Browser().get("/.well-known/passkey-endpoints", headers={"host": "localhost"})

    assert answer.json() == {
        "enroll": "https://auth.example.org/account/second-factors/passkeys/add/",
        "manage": "https://auth.example.org/account/second-factors/",
    }


def test_passkey_endpoints_refuse_post() -> None:
    assert Browser().post("/.well-known/passkey-endpoints").status_code in (403, 405)
