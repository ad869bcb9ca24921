"""A session in another browser: it can read, has no recent proof, and continues there after a full proof."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone

from auth_core.testing.browsers import log_in_on_page
from auth_core.testing.factories import PASSWORD, make_administrator
from auth_core.testing.settings import redis_url
from auth_mfa.testing.factors import KEY, add_totp, current_code
from auth_sessions.models import Session

pytestmark = [pytest.mark.django_db(transaction=bool(redis_url())), pytest.mark.asvs("8.2.4")]

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
SAFARI = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15"
ADMIN = "/admin/auth/group/add/"


@pytest.fixture
def root(db: None) -> Any:
    """An administrator with a second factor."""
    person = make_administrator("root@example.org")
    add_totp(person)
    return person


def signed_in_by_two_factors() -> Browser:
    browser = Browser(HTTP_USER_AGENT=FIREFOX)
    log_in_on_page(browser, identifier="root@example.org")
    browser.post("/login/answer/", {"code": current_code(KEY)})
    return browser


def elsewhere(browser: Browser) -> Browser:
    """Return another browser with the same cookies."""
    other = Browser(HTTP_USER_AGENT=SAFARI)
    other.cookies = browser.cookies
    return other


def test_a_session_in_another_browser_reads_and_needs_proofs(root: Any) -> None:
    browser = signed_in_by_two_factors()
    assert browser.get(ADMIN).status_code == 200

    other = elsewhere(browser)

    assert other.get("/account/").status_code == 200
    for page in (ADMIN, "/account/second-factors/passkeys/add/", "/admin/"):
        assert other.get(page).headers.get("Location", "").startswith("/login/again/"), page
    assert browser.get(ADMIN).status_code == 200, "the original browser needs no new proof"


def test_the_password_alone_does_not_keep_the_second_factor(root: Any) -> None:
    other = elsewhere(signed_in_by_two_factors())

    other.post("/login/again/?assurance=aal1&next=/account/")
    challenged = other.post("/login/answer/", {"password": PASSWORD})

    assert challenged.status_code == 303
    assert challenged.headers["Location"] == "/login/answer/", "the second factor is required too"
    assert other.get(ADMIN).headers["Location"].startswith("/login/again/")


def test_a_full_proof_continues_the_session_in_the_other_browser(root: Any) -> None:
    browser = signed_in_by_two_factors()
    session, other = Session.objects.get().pk, elsewhere(browser)

    with time_machine.travel(timezone.now() + timedelta(minutes=1), tick=False):
        other.post(other.get(ADMIN).headers["Location"])
        other.post("/login/answer/", {"password": PASSWORD})
        back = other.post("/login/answer/", {"code": current_code(KEY)})
        inside = other.get(ADMIN)

    assert (back.status_code, back.headers["Location"]) == (303, ADMIN)
    assert inside.status_code == 200
    assert Session.objects.live().get().pk == session
    assert Session.objects.get().user_agent == SAFARI
