"""Redirects to other sites."""

import pytest

from attacks.stage import PASSWORD, Caller, Stage

pytestmark = [pytest.mark.postgresql, pytest.mark.live]

#: Addresses of other sites, written to pass a careless check.
OUTSIDE = [
    "//evil.example/", "///evil.example/", "/\\evil.example/", "\\\\evil.example/", "https:evil.example",
    "https://evil.example/", "https://localhost@evil.example/", "/%2f/evil.example", "/..;//evil.example",
    "/../../evil.example/%2e%2e//", "\t//evil.example", "http://localhost.evil.example/", "https:/evil.example",
]  # fmt: skip

SCRIPTS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>",
    "vbscript:x",
]


@pytest.mark.parametrize("onward", OUTSIDE)
def test_a_login_redirects_only_to_this_site(onward: str, stage: Stage, attacker: Caller) -> None:
    """A054: paths normalized after the check."""
    person = stage.person()

    with stage.attack(PASSWORD, leaves={}, changes=["auth_sessions_session", "auth_sessions_device"]) as traces:
        traces.may_leave("auth.login", "session.session.opened", "session.device.added")
        answer = attacker.submit(f"/login/?{attacker.query(next=onward)}", identifier=person.address, password=PASSWORD)

    assert answer.status_code == 303
    assert attacker.stays_on_site(answer.headers["Location"]), answer.headers["Location"]


@pytest.mark.parametrize("onward", SCRIPTS)
def test_script_addresses_are_neither_shown_nor_followed(onward: str, stage: Stage, attacker: Caller) -> None:
    """A060: a redirect with a script scheme after signing in or out."""
    query = attacker.query(next=onward, post_logout_redirect_uri=onward)

    with stage.attack(leaves='"route":"login/"'):
        pages = [attacker.get(f"{path}?{query}") for path in ("/login/", "/logout/", "/logged-out/", "/login/again/")]

    for page in pages:
        assert attacker.stays_on_site(page.headers.get("Location", "/"))
        assert "alert(1)" not in page.text
        assert 'href="data:text' not in page.text
