"""Where password managers find the pages of passkeys."""

from django.test import Client as Browser


def test_they_lead_to_the_pages_under_our_own_address_whatever_the_request_calls_it() -> None:
    answer = Browser().get("/.well-known/passkey-endpoints", headers={"host": "localhost"})

    assert answer.json() == {
        "enroll": "https://auth.example.org/account/second-factors/passkeys/add/",
        "manage": "https://auth.example.org/account/second-factors/",
    }


def test_nothing_is_posted_there() -> None:
    assert Browser().post("/.well-known/passkey-endpoints").status_code in (403, 405)
