"""Planted, forged, confused and stolen sessions."""

import base64

import pytest

from attacks.stage import PASSWORD, Caller, Stage

pytestmark = [pytest.mark.postgresql, pytest.mark.live]


def test_a_secret_works_only_for_its_purpose(stage: Stage, attacker: Caller) -> None:
    """A069: use a one-time secret where another kind is expected."""
    person, forgetful = stage.person(totp=True), stage.person()
    browser = attacker.fetch_csrf()
    browser.api("POST", "password/forgot/", {"email": forgetful.address})
    reset = stage.mails.link_to(forgetful.address).rstrip("/").rpartition("/")[2]
    pending = stage.caller().log_in(person.address).json()["token"]

    with stage.attack(reset, pending, PASSWORD, leaves="link_invalid") as traces:
        traces.may_leave("auth.confirmation.failed", "auth.login.failed")
        answers = [
            browser.api("POST", "email/verify/", {"token": reset, "password": PASSWORD}),
            browser.api("POST", "invitations/accept/", {"token": reset, "password": PASSWORD}),
            browser.api("POST", "devices/not-me/", {"token": reset}),
            browser.api("POST", "password/reset/", {"token": pending, "password": PASSWORD}),
            stage.caller().answer(reset, person.code()),
            stage.caller().api("GET", "me/", headers={"Authorization": f"Session {reset}"}),
        ]

    assert all(answer.status_code in (400, 401) for answer in answers), [answer.text for answer in answers]


def test_a_later_revocation_does_not_restore_an_ended_session(stage: Stage, attacker: Caller) -> None:
    """A072: two levels of revocation that cancel each other."""
    person = stage.person(totp=True)
    attacker.sign_in(person)
    owner = stage.caller().sign_in(person)
    owner.api("POST", "sessions/revoke-others/", {})
    another = "another correct horse battery"
    owner.api("POST", "password/change/", {"current_password": PASSWORD, "new_password": another})
    stage.caller().log_in(person.address, another)

    with stage.attack(attacker.credential, leaves="/me/"):
        answers = [attacker.api("GET", "me/") for _time in range(3)]

    assert [answer.status_code for answer in answers] == [401] * 3


@pytest.mark.parametrize("scheme", ["Bearer", "Session", "DPoP"])
def test_an_unsigned_token_is_refused(scheme: str, stage: Stage, attacker: Caller) -> None:
    """A084: a token with the algorithm `none` and no signature."""
    head, body = (
        base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        for text in ('{"alg":"none","typ":"JWT"}', '{"sub":"1","is_superuser":true}')
    )
    token = f"{head}.{body}."

    with stage.attack(token, leaves="/me/"):
        answer = attacker.api("GET", "me/", headers={"Authorization": f"{scheme} {token}"})

    assert answer.status_code == 401


def test_a_login_does_not_use_a_planted_session(stage: Stage, attacker: Caller) -> None:
    """A096: fixate the session of a victim before the login."""
    person = stage.person()
    planted = "a" * 43
    victim = stage.caller()
    victim.cookies.set("__Host-session", planted, domain="localhost.local", secure=True, path="/")
    victim.headers["Cookie"] = f"__Host-session={planted}"
    token = victim.get("/login/").text
    assert token

    del victim.headers["Cookie"]
    answer = victim.submit("/login/", identifier=person.address, password=PASSWORD)
    with stage.attack(planted, PASSWORD, leaves="/me/"):
        stolen = attacker.api("GET", "me/", headers={"Cookie": f"__Host-session={planted}"})

    assert answer.status_code == 303
    assert stolen.status_code == 401
    assert planted not in str(answer.headers.get("Set-Cookie"))


def test_a_login_cannot_be_finished_in_another_browser(stage: Stage, attacker: Caller) -> None:
    """A096: begin a login in one browser and finish it in another."""
    person = stage.person(totp=True)
    victim = stage.caller().fetch_csrf()
    challenged = victim.api(
        "POST", "login/", {"identifier": person.address, "password": PASSWORD, "transport": "cookie"}
    )
    token = challenged.json()["token"]
    attacker.fetch_csrf()

    with stage.attack(token, PASSWORD, leaves="login_expired"):
        refused = attacker.answer(token, person.code())

    assert refused.json()["code"] == "login_expired"


def test_get_and_foreign_forms_neither_sign_in_nor_out(stage: Stage, attacker: Caller) -> None:
    """A099: a link, or a form of another site, that signs in or out."""
    person = stage.person()
    visitor = stage.caller()
    visitor.submit("/login/", identifier=person.address, password=PASSWORD)
    query = attacker.query(identifier=person.address, password=PASSWORD)
    foreign = {"Origin": "https://evil.example", "Referer": "https://evil.example/"}

    with stage.attack(leaves={}) as traces:
        traces.may_leave("auth.threat.detected", "auth.access.denied")
        visited = attacker.get(f"/login/?{query}")
        body = {"identifier": person.address, "password": PASSWORD, "transport": "cookie"}
        without = attacker.api("POST", "login/", body)
        form = attacker.post("/login/", data={"identifier": person.address, "password": PASSWORD}, headers=foreign)
        visitor.get("/logout/")
        signed_out = visitor.post("/logout/", headers=foreign)
        afterwards = visitor.get("/account/")

    assert (visited.status_code, without.json()["code"], form.status_code) == (200, "csrf_failed", 403)
    assert (signed_out.status_code, afterwards.status_code) == (403, 200)
    assert "__Host-session" not in attacker.cookies


def test_anonymous_visits_create_no_session(stage: Stage, attacker: Caller) -> None:
    """A102: fill the store with anonymous sessions."""
    paths = ["/login/", "/signup/", "/password/forgot/", "/logged-out/", "/api/v1/csrf/", "/api/docs/", "/account/"]

    with stage.attack(leaves='"route":"login/"'):
        answers = [attacker.get(path) for path in paths for _time in range(3)]

    assert "__Host-session" not in attacker.cookies
    assert all("__Host-session" not in answer.headers.get("Set-Cookie", "") for answer in answers)


@pytest.mark.parametrize("value", ["", "x", "a" * 5_000, "..", "%00", "{}", '"', "eas_" + "a" * 43, "a.b.c", "'--"])
def test_a_malformed_session_cookie_is_anonymous(value: str, stage: Stage, attacker: Caller) -> None:
    """A189: a malformed session cookie grants access."""
    with stage.attack(leaves="/me/"):
        answer = attacker.api("GET", "me/", headers={"Cookie": f"__Host-session={value}"})
        header = attacker.api("GET", "me/", headers={"Authorization": f"Session {value}"})

    assert (answer.status_code, header.status_code) == (401, 401)
