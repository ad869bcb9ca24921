"""Access of disabled users, ended sessions and expired links."""

import pytest

from attacks.stage import PASSWORD, Caller, Stage

pytestmark = [pytest.mark.postgresql, pytest.mark.live]


def test_every_credential_of_a_disabled_user_is_refused(stage: Stage, attacker: Caller) -> None:
    """The class of A021: a credential of a disabled user."""
    person = stage.person()
    attacker.sign_in(person)
    stage.disable(person)

    with stage.attack(attacker.credential, PASSWORD, leaves={"auth.login.failed": 1}):
        read = attacker.api("GET", "me/")
        logged_in = stage.caller().log_in(person.address)

    assert (read.status_code, logged_in.status_code) == (401, 401)


def test_a_revoked_role_has_no_effect_on_the_next_request(stage: Stage, attacker: Caller) -> None:
    """A024: a token still carries a revoked role."""
    person = stage.person()
    me = attacker.sign_in(person).api("GET", "me/").json()["id"]
    caller = stage.caller().sign_in(stage.administrator())
    role = stage.role(caller, "a024", permissions=["auth_accounts.view_user"])
    assignment = caller.api("POST", "assignments/", {"holder": {"kind": "person", "id": me}, "role": role}).json()["id"]
    question = {"permission": "auth_accounts.view_user"}
    before = attacker.api("POST", "access/check/", question).json()["allowed"]
    caller.api("DELETE", f"assignments/{assignment}/")

    with stage.attack(attacker.credential, leaves={"auth.access.denied": 1}):
        after = attacker.api("POST", "access/check/", question).json()["allowed"]
        refused = attacker.api("GET", "roles/")

    assert (before, after, refused.status_code) == (True, False, 403)


def test_a_session_ended_by_an_administrator_is_refused(stage: Stage, attacker: Caller) -> None:
    """A027: a session deleted by an administrator remains in another store."""
    attacker.sign_in(stage.person())
    session = next(row["id"] for row in attacker.api("GET", "sessions/").json()["results"] if row["current"])
    ended = stage.caller().sign_in(stage.administrator()).api("DELETE", f"users/sessions/{session}/")

    with stage.attack(attacker.credential, leaves="/me/"):
        answers = [attacker.api("GET", "me/") for _time in range(4)]

    assert ended.status_code == 204, ended.text
    assert [answer.status_code for answer in answers] == [401] * 4


def test_an_expired_invitation_is_refused_before_it_is_deleted(stage: Stage, attacker: Caller) -> None:
    """A030: use an expired invitation before it is deleted."""
    address = stage.address("guest.of.a030")
    caller = stage.caller().sign_in(stage.administrator())
    invitation = caller.api("POST", "invitations/", {"email": address}).json()["id"]
    token = stage.mails.link_to(address).rstrip("/").rpartition("/")[2]
    stage.execute("UPDATE auth_core_invitation SET expires_at = now() - interval '1 second' WHERE id = %s", invitation)
    browser = attacker.fetch_csrf()

    with stage.attack(PASSWORD, token, leaves="link_invalid"):
        refused = browser.api("POST", "invitations/accept/", {"token": token, "password": PASSWORD})

    assert refused.json()["code"] == "link_invalid"
