"""Password recovery without the mail, after expiry, or with a poisoned mail."""

import pytest

from attacks.stage import PASSWORD, Caller, Stage

pytestmark = [pytest.mark.postgresql, pytest.mark.live]

ATTACKERS_PASSWORD = "the password of the attacker"


def request_reset(stage: Stage, address: str) -> str:
    """Request a reset link and return its token."""
    stage.caller().fetch_csrf().api("POST", "password/forgot/", {"email": address})
    return stage.mails.link_to(address).rstrip("/").rpartition("/")[2]


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Host", "Forwarded"])
def test_links_use_the_public_url_for_any_host_header(header: str, stage: Stage, attacker: Caller) -> None:
    """A105: poison the link of a mail, or a cache, with the host header."""
    person = stage.shared_person()
    value = "host=evil.example" if header == "Forwarded" else "evil.example"
    attacker.fetch_csrf()

    with stage.attack(leaves={}, changes=["auth_core_resetlink"]) as traces:
        traces.may_leave("auth.password.reset_requested")
        answer = attacker.api("POST", "password/forgot/", {"email": person.address}, headers={header: value})
        page = attacker.get("/login/", headers={header: value})

    assert (answer.status_code, page.status_code) == ((400, 400) if header == "Host" else (202, 200))
    assert "evil.example" not in page.text + answer.text
    assert "no-store" in page.headers["Cache-Control"]
    assert header == "Host" or "Cookie" in page.headers["Vary"]
    if answer.ok:
        assert stage.mails.link_to(person.address).startswith(stage.service.url)


@pytest.mark.parametrize("token", ["", "0", "a" * 43, "set-password", "../set-password"])
def test_a_password_is_reset_only_with_the_link(token: str, stage: Stage, attacker: Caller) -> None:
    """A108: reach the last step of a reset without the mailed link."""
    person = stage.shared_person()
    browser = attacker.fetch_csrf()
    browser.api("POST", "password/forgot/", {"email": person.address})

    with stage.attack(ATTACKERS_PASSWORD, leaves="password/reset/"):
        by_api = browser.api("POST", "password/reset/", {"token": token, "password": ATTACKERS_PASSWORD})
        page = browser.get("/password/reset/")
        by_page = browser.submit("/password/reset/", password=ATTACKERS_PASSWORD, token=token)

    assert by_api.status_code == 400
    assert page.status_code in (200, 302, 303, 400)
    assert by_page.status_code in (302, 303, 400, 403, 404)
    assert not stage.caller().log_in(person.address, ATTACKERS_PASSWORD).ok


def test_a_changed_password_invalidates_a_reset_link(stage: Stage, attacker: Caller) -> None:
    """A111: a link that survives a change of the password."""
    person = stage.person()
    token = request_reset(stage, person.address)
    another = "another correct horse battery"
    owner = stage.caller().sign_in(person)
    changed = owner.api("POST", "password/change/", {"current_password": PASSWORD, "new_password": another})
    browser = attacker.fetch_csrf()

    with stage.attack(token, ATTACKERS_PASSWORD, leaves="link_invalid", changes=["auth_core_resetlink"]):
        refused = browser.api("POST", "password/reset/", {"token": token, "password": ATTACKERS_PASSWORD})

    assert changed.ok
    assert refused.json()["code"] == "link_invalid"


def test_responses_do_not_contain_the_mailed_link(stage: Stage, attacker: Caller) -> None:
    """A114: the response contains the link."""
    person = stage.person()
    new = stage.address("newcomer.of.a114")
    browser = attacker.fetch_csrf()

    with stage.attack(
        PASSWORD,
        leaves={"auth.password.reset_requested": 1, "auth.signup.requested": 1},
        changes=["auth_core_resetlink"],
    ):
        forgot = browser.api("POST", "password/forgot/", {"email": person.address})
        signup = browser.api("POST", "signup/", {"email": new, "password": PASSWORD})
    secrets = [stage.mails.link_to(address).rstrip("/").rpartition("/")[2] for address in (person.address, new)]

    for answer in (forgot, signup):
        assert answer.status_code == 202
        assert not any(secret in answer.text + str(answer.headers) for secret in secrets)


@pytest.mark.parametrize("size", [1_000, 60_000])
def test_a_huge_token_is_refused_at_once(size: int, stage: Stage, attacker: Caller) -> None:
    """A117: numbers and tokens of any length in the URL of a link."""
    token = "z" * size
    browser = attacker.fetch_csrf()

    with stage.attack(leaves="password/reset/"):
        pages = [browser.get(f"/{path}/{token}/") for path in ("password/reset", "invite", "setup", "email/verify")]
        answer = browser.api("POST", "password/reset/", {"token": token, "password": ATTACKERS_PASSWORD}, timeout=60)

    assert answer.status_code == 400
    assert all(page.status_code < 500 for page in pages)


def test_a_reset_link_works_once(stage: Stage, attacker: Caller) -> None:
    """A108: repeat the last step."""
    person = stage.person()
    token = request_reset(stage, person.address)
    browser = attacker.fetch_csrf()
    reset = browser.api("POST", "password/reset/", {"token": token, "password": "another correct horse battery"})

    with stage.attack(token, ATTACKERS_PASSWORD, leaves="link_invalid", changes=["auth_core_resetlink"]):
        again = browser.api("POST", "password/reset/", {"token": token, "password": ATTACKERS_PASSWORD})

    assert (reset.status_code, again.status_code) == (200, 400)
