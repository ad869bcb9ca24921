"""Taking over an account before its owner comes, or by an invitation of somebody else."""

import re

import pytest

from attacks.stage import PASSWORD, Caller, Stage

pytestmark = [pytest.mark.postgresql, pytest.mark.live]

ATTACKERS = "the password of the attacker"


def test_a_sign_up_with_a_strangers_address_makes_no_account(stage: Stage, attacker: Caller) -> None:
    """A003: pre-register the victim's address and wait for the victim."""
    address = stage.address("victim.of.a003")
    browser = attacker.fetch_csrf()

    with stage.attack(ATTACKERS, leaves={"auth.signup.requested": 1, "auth.login.failed": 1}):
        signed_up = browser.api("POST", "signup/", {"email": address, "password": ATTACKERS})
        refused = browser.log_in(address, ATTACKERS)

    link = stage.mails.link_to(address)
    token = link.rstrip("/").rpartition("/")[2]
    victim = stage.caller().fetch_csrf()
    with stage.attack(ATTACKERS, token, leaves={"auth.confirmation.failed": 1}):
        proved = victim.api("POST", "email/verify/", {"token": token, "password": PASSWORD})

    assert signed_up.status_code == 202
    assert refused.json()["code"] == "invalid_credentials"
    assert not proved.ok, "the password of the attacker would stay"


def test_an_invitation_makes_one_account_and_only_by_the_secret_of_its_mail(stage: Stage, attacker: Caller) -> None:
    """A012: accept an invitation without the secret, or twice."""
    address = stage.address("guest.of.a012")
    caller = stage.caller().sign_in(stage.administrator())
    invitation = caller.api("POST", "invitations/", {"email": address}).json()["id"]
    token = stage.mails.link_to(address).rstrip("/").rpartition("/")[2]
    browser = attacker.fetch_csrf()

    with stage.attack(ATTACKERS, leaves="link_invalid"):
        guessed = browser.api("POST", "invitations/accept/", {"token": invitation, "password": ATTACKERS})
    accepted = browser.api("POST", "invitations/accept/", {"token": token, "password": PASSWORD})
    with stage.attack(ATTACKERS, token, leaves="link_invalid"):
        again = browser.api("POST", "invitations/accept/", {"token": token, "password": ATTACKERS})

    assert accepted.ok, accepted.text
    assert [answer.json()["code"] for answer in (guessed, again)] == ["link_invalid"] * 2
    assert re.fullmatch("[0-9a-f-]{36}", invitation)
