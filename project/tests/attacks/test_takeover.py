"""Account takeover before the owner signs up, or with an invitation of another person."""

import re

import pytest

from attacks.stage import PASSWORD, Caller, Stage

pytestmark = [pytest.mark.postgresql, pytest.mark.live]

ATTACKERS_PASSWORD = "the password of the attacker"


def test_a_sign_up_with_another_persons_address_creates_no_account(stage: Stage, attacker: Caller) -> None:
    """A003: pre-register the victim's address and wait for the victim."""
    address = stage.address("victim.of.a003")
    browser = attacker.fetch_csrf()

    with stage.attack(ATTACKERS_PASSWORD, leaves={"auth.signup.requested": 1, "auth.login.failed": 1}):
        signed_up = browser.api("POST", "signup/", {"email": address, "password": ATTACKERS_PASSWORD})
        refused = browser.log_in(address, ATTACKERS_PASSWORD)

    link = stage.mails.link_to(address)
    token = link.rstrip("/").rpartition("/")[2]
    victim = stage.caller().fetch_csrf()
    with stage.attack(ATTACKERS_PASSWORD, token, leaves={"auth.confirmation.failed": 1}):
        proved = victim.api("POST", "email/verify/", {"token": token, "password": PASSWORD})

    assert signed_up.status_code == 202
    assert refused.json()["code"] == "invalid_credentials"
    assert not proved.ok, "the attacker's password would remain"


def test_an_invitation_creates_one_account_and_only_with_its_secret(stage: Stage, attacker: Caller) -> None:
    """A012: accept an invitation without the secret, or twice."""
    address = stage.address("guest.of.a012")
    caller = stage.caller().sign_in(stage.administrator())
    invitation = caller.api("POST", "invitations/", {"email": address}).json()["id"]
    token = stage.mails.link_to(address).rstrip("/").rpartition("/")[2]
    browser = attacker.fetch_csrf()

    with stage.attack(ATTACKERS_PASSWORD, leaves="link_invalid"):
        guessed = browser.api("POST", "invitations/accept/", {"token": invitation, "password": ATTACKERS_PASSWORD})
    accepted = browser.api("POST", "invitations/accept/", {"token": token, "password": PASSWORD})
    with stage.attack(ATTACKERS_PASSWORD, token, leaves="link_invalid"):
        again = browser.api("POST", "invitations/accept/", {"token": token, "password": ATTACKERS_PASSWORD})

    assert accepted.ok, accepted.text
    assert [answer.json()["code"] for answer in (guessed, again)] == ["link_invalid"] * 2
    assert re.fullmatch("[0-9a-f-]{36}", invitation)
