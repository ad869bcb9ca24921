"""The pages of the device grant: login first, the code, the decision, and who may make it (RFC 8628, RFC 10027)."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client as Browser

from auth_core.events import AuthEvent, Event
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy, Authorization, Consent, DeviceRequest
from auth_core.oauth.testing.factories import Registered
from auth_core.people.locking import disable_account
from auth_core.testing.factories import make_user
from devices import ADDRESS, asked_codes, connect, decision_page, enter, error_of, make_device_application, poll, press
from people import browser_of, follow, log_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def device_grant(settings: Any) -> None:
    """Switch the grant on."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "DEVICE_GRANT": True}


@pytest.fixture
def tv(db: None) -> Registered:
    """A public application on a device."""
    return make_device_application()


@pytest.fixture
def browser(alice: Any) -> Browser:
    """The browser of alice, who has signed in."""
    return browser_of(alice)


def is_unknown(response: Any) -> bool:
    """Return whether the form says that the code is wrong."""
    return response.status_code == 400 and b"This code is wrong, or it has expired." in response.content


# --- Login first, and the link ----------------------------------------------------


def test_the_person_signs_in_before_the_code(tv: Registered, alice: Any) -> None:
    codes, browser = asked_codes(tv), Browser()

    to_login = browser.get("/device/", {"user_code": codes["user_code"]})
    posted = browser.post("/device/", {"user_code": codes["user_code"]})
    page = follow(browser, log_in(browser, to_login, alice))

    assert (to_login.status_code, posted.status_code) == (302, 302)
    assert posted.headers["Location"].startswith("/login/?next=")
    assert f'value="{codes["user_code"]}"' in page.content.decode()
    assert DeviceRequest.objects.get().user_id is None


def test_a_link_with_the_code_changes_nothing(tv: Registered, browser: Browser) -> None:
    """Someone else can send it, and a scanner of mails opens it."""
    codes = asked_codes(tv)
    before = DeviceRequest.objects.values().get()

    page = browser.get("/device/", {"user_code": codes["user_code"]})

    assert page.status_code == 200
    assert f'value="{codes["user_code"]}"' in page.content.decode()
    assert b'name="decision"' not in page.content
    assert DeviceRequest.objects.values().get() == before
    assert error_of(poll(tv, codes["device_code"])) == "authorization_pending"


@pytest.mark.parametrize("code", ["x", '"><script>', "a" * 5000, "\x00"])
def test_a_link_with_something_else_shows_an_empty_form(code: str, browser: Browser) -> None:
    page = browser.get("/device/", {"user_code": code})

    (field,) = re.findall(r'<input type="text" name="user_code"[^>]*>', page.content.decode())
    assert "value=" not in field


def test_a_code_that_is_entered_gives_nothing_yet(tv: Registered, browser: Browser) -> None:
    codes = asked_codes(tv)

    decision_page(browser, codes["user_code"])

    assert error_of(poll(tv, codes["device_code"])) == "authorization_pending"
    assert not Authorization.objects.exists()


# --- The decision -----------------------------------------------------------------


def test_the_page_says_who_asks_for_what_from_where(tv: Registered, browser: Browser) -> None:
    page = decision_page(browser, asked_codes(tv)["user_code"])

    text = page.content.decode()
    for shown in (
        "Example", "alice@example.org", ADDRESS, "another network than that of this browser", "Chrome, Linux", "ago",
        "See your email address", "Keep this access", "Did someone send you this code",
    ):  # fmt: skip
        assert shown in text, shown
    assert page.headers["Cache-Control"] == "no-store"


def test_a_device_in_the_network_of_the_browser_is_shown_as_such(tv: Registered, alice: Any) -> None:
    codes = asked_codes(tv)
    browser = browser_of(alice)
    browser.defaults["REMOTE_ADDR"] = ADDRESS

    page = browser.get(enter(browser, codes["user_code"]).headers["Location"])

    assert "the network of this browser" in page.content.decode()
    assert "another network" not in page.content.decode()


def test_to_deny_is_as_prominent_as_to_allow(tv: Registered, browser: Browser) -> None:
    page = decision_page(browser, asked_codes(tv)["user_code"])

    buttons = re.findall(r"<button([^>]*)>([^<]*)</button>", page.content.decode())
    assert [label for _attributes, label in buttons] == ["Deny", "Allow"]
    assert [re.sub(r'value="\w+"', "", attributes) for attributes, _label in buttons] == [' name="decision" '] * 2


def test_the_person_denies(tv: Registered, browser: Browser) -> None:
    codes = asked_codes(tv)

    answer = press(browser, decision_page(browser, codes["user_code"]), "deny")

    assert "The device gets no access to your account." in answer.content.decode()
    assert error_of(poll(tv, codes["device_code"])) == "access_denied"


def test_the_person_is_asked_each_time_also_for_an_application_of_the_operator(alice: Any) -> None:
    application = make_device_application(is_first_party=True)
    connect(alice, asked_codes(application))

    page = decision_page(browser_of(alice), asked_codes(application)["user_code"])

    assert b'name="decision"' in page.content
    assert not Consent.objects.exists()


def test_a_request_is_answered_once(tv: Registered, browser: Browser) -> None:
    codes = asked_codes(tv)
    page = decision_page(browser, codes["user_code"])
    press(browser, page, "allow")

    assert press(browser, page, "deny").status_code == 410
    assert poll(tv, codes["device_code"]).status_code == 200
    assert is_unknown(enter(browser, codes["user_code"]))


@pytest.mark.parametrize("shown", ["", "x", "\x00"])
def test_an_approval_without_what_was_shown_asks_again(tv: Registered, browser: Browser, shown: str) -> None:
    codes = asked_codes(tv)
    address = enter(browser, codes["user_code"]).headers["Location"]

    assert browser.post(address, {"decision": "allow", "shown": shown}).status_code == 409
    assert browser.post(address, {"decision": "other"}).status_code == 303
    assert error_of(poll(tv, codes["device_code"])) == "authorization_pending"


def test_a_change_between_the_page_and_the_approval_asks_again(tv: Registered, browser: Browser) -> None:
    codes = asked_codes(tv)
    page = decision_page(browser, codes["user_code"])
    type(tv.row).objects.update(name="Another name")

    again = press(browser, page, "allow")

    assert again.status_code == 409
    assert "has changed" in again.content.decode()
    press(browser, again, "allow")
    assert poll(tv, codes["device_code"]).status_code == 200


def test_no_form_works_without_its_token(tv: Registered, alice: Any) -> None:
    signed_in = browser_of(alice)
    codes = asked_codes(tv)
    address = enter(signed_in, codes["user_code"]).headers["Location"]
    forger = Browser(enforce_csrf_checks=True)
    forger.cookies = signed_in.cookies

    assert forger.post("/device/", {"user_code": codes["user_code"]}).status_code == 403
    assert forger.post(address, {"decision": "allow"}).status_code == 403


# --- The session that entered the code --------------------------------------------


def test_no_other_session_may_decide(tv: Registered, alice: Any, browser: Browser) -> None:
    """Not that of another person, and not another one of the same person (CVE-2026-45337)."""
    codes = asked_codes(tv)
    page = decision_page(browser, codes["user_code"])
    address = f"/device/{DeviceRequest.objects.get().pk}/"

    for other in (browser_of(make_user("mallory@example.org")), browser_of(alice)):
        assert other.get(address).status_code == 410
        assert press(other, page, "allow").status_code == 410
        assert press(other, page, "deny").status_code == 410
    assert error_of(poll(tv, codes["device_code"])) == "authorization_pending"
    assert press(browser, page, "allow").status_code == 200


def test_a_code_belongs_to_the_first_person_who_enters_it(tv: Registered, alice: Any, browser: Browser) -> None:
    codes = asked_codes(tv)
    page = decision_page(browser, codes["user_code"])

    assert is_unknown(enter(browser_of(make_user("mallory@example.org")), codes["user_code"]))
    assert press(browser, page, "allow").status_code == 200


def test_the_same_person_may_enter_it_again_elsewhere(tv: Registered, alice: Any, browser: Browser) -> None:
    codes = asked_codes(tv)
    first = decision_page(browser, codes["user_code"])
    elsewhere = browser_of(alice)
    second = decision_page(elsewhere, codes["user_code"])

    assert press(browser, first, "allow").status_code == 410, "the session that entered it last decides"
    assert press(elsewhere, second, "allow").status_code == 200
    assert poll(tv, codes["device_code"]).status_code == 200


def test_the_authorization_names_the_session_and_what_it_proved(tv: Registered, alice: Any) -> None:
    codes = asked_codes(tv)
    connect(alice, codes, assurance="aal2")

    authorization = Authorization.objects.get()
    assert (authorization.acr, authorization.user_id) == ("aal2", alice.pk)
    assert authorization.session_id is not None


def test_an_ended_session_approves_nothing(tv: Registered, browser: Browser) -> None:
    codes = asked_codes(tv)
    page = decision_page(browser, codes["user_code"])
    browser.post("/logout/")

    assert press(browser, page, "allow").status_code == 403, "its form went with it"
    address = f"/device/{DeviceRequest.objects.get().pk}/"
    assert browser.get(address).headers["Location"].startswith("/login/?next=")
    assert error_of(poll(tv, codes["device_code"])) == "authorization_pending"


def test_a_person_who_is_disabled_approves_nothing(tv: Registered, alice: Any, browser: Browser) -> None:
    codes = asked_codes(tv)
    page = decision_page(browser, codes["user_code"])
    disable_account(user=alice)

    assert press(browser, page, "allow").headers["Location"].startswith("/login/?next=")
    assert error_of(poll(tv, codes["device_code"])) == "authorization_pending"


def test_a_session_of_the_login_of_the_site_signs_in_here_first(tv: Registered, alice: Any) -> None:
    browser = Browser()
    browser.force_login(alice)

    assert browser.get("/device/").headers["Location"].startswith("/login/?next=%2Fdevice%2F&other=1")


# --- What the application requires ------------------------------------------------


def test_a_level_that_the_application_requires_is_proved_first(alice: Any) -> None:
    application = make_device_application(required_assurance="aal2")
    codes = asked_codes(application)
    low, high = browser_of(alice), browser_of(alice, assurance="aal2")

    refused = low.get(enter(low, codes["user_code"]).headers["Location"])

    # This site has no second factor, so the level is out of reach, and the device hears of it.
    assert refused.status_code == 400
    assert error_of(poll(application, codes["device_code"])) == "access_denied"
    codes = asked_codes(application)
    assert press(high, decision_page(high, codes["user_code"]), "allow").status_code == 200
    assert poll(application, codes["device_code"]).status_code == 200


def test_a_level_within_reach_is_asked_for(alice: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("auth_core.oauth.authorization.steps.can_prove", lambda user, level: True)
    application = make_device_application(required_assurance="aal2")
    codes, browser = asked_codes(application), browser_of(alice)
    address = enter(browser, codes["user_code"]).headers["Location"]

    assert (
        browser.get(address).headers["Location"] == f"/login/again/?next=%2Fdevice%2F{address[8:-1]}%2F&assurance=aal2"
    )
    assert browser.post(address, {"decision": "allow"}).headers["Location"] == address
    assert error_of(poll(application, codes["device_code"])) == "authorization_pending"


def test_a_person_outside_of_the_groups_is_denied(
    tv: Registered, alice: Any, browser: Browser, events: list[Event]
) -> None:
    tv.policy.allowed_groups.add(Group.objects.create(name="Staff"))
    codes = asked_codes(tv)

    page = browser.get(enter(browser, codes["user_code"]).headers["Location"])

    assert "The request was denied." in page.content.decode()
    assert error_of(poll(tv, codes["device_code"])) == "access_denied"
    denied = next(event for event in events if event.name is OAuthEvent.AUTHORIZATION_DENIED)
    assert (denied.reason, denied.subject) == ("not_admitted", alice)


def test_an_application_that_is_disabled_or_loses_the_grant_is_gone(tv: Registered, browser: Browser) -> None:
    codes = asked_codes(tv)
    page = decision_page(browser, codes["user_code"])
    ApplicationPolicy.objects.update(grant_types="refresh_token")
    assert press(browser, page, "allow").status_code == 400

    ApplicationPolicy.objects.update(is_active=False)
    assert press(browser, page, "allow").status_code == 410
    assert not Authorization.objects.exists()


def test_a_code_that_has_expired_is_unknown(tv: Registered, alice: Any, clock: Any) -> None:
    codes, browser = asked_codes(tv), browser_of(alice)
    page = decision_page(browser, codes["user_code"])
    clock.forward(minutes=10)

    assert is_unknown(enter(browser, codes["user_code"]))
    assert press(browser, page, "allow").status_code == 410


# --- Guesses ----------------------------------------------------------------------


def guesses(browser: Browser, count: int) -> list[int]:
    """Enter so many wrong codes, and return the statuses."""
    letters = "BCDFGHJKLMNPQRSTVWXZ"
    return [enter(browser, f"BBBBBB{letters[i // 20]}{letters[i % 20]}").status_code for i in range(count)]


def test_a_hundred_wrong_codes_are_ten_guesses(tv: Registered, alice: Any, events: list[Event]) -> None:
    codes, browser = asked_codes(tv), browser_of(alice)

    statuses = guesses(browser, 100)

    assert statuses == [400] * 10 + [429] * 90
    assert enter(browser, codes["user_code"]).status_code == 429, "the right one is refused as well"
    names = [event.name for event in events]
    assert names.count(OAuthEvent.USER_CODE_FAILED) == 10
    assert names.count(AuthEvent.LIMIT_REFUSED) == 2, "one for the person, and one for the session"
    assert DeviceRequest.objects.get().user_id is None


def test_another_session_gives_no_more_guesses(tv: Registered, alice: Any) -> None:
    assert guesses(browser_of(alice), 10) == [400] * 10
    assert guesses(browser_of(alice), 1) == [429]


def test_one_network_has_no_more_guesses_for_many_people(db: None) -> None:
    people = [browser_of(make_user(f"person{number}@example.org")) for number in range(6)]

    assert [guesses(browser, 10) for browser in people[:5]] == [[400] * 10] * 5
    assert guesses(people[5], 1) == [429]


def test_one_session_has_a_budget_of_its_own(settings: Any, alice: Any) -> None:
    budgets = {"user_code": {"session": (2, timedelta(minutes=15))}}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": {**settings.AUTH_CORE.get("BUDGETS", {}), **budgets}}
    first, second = browser_of(alice), browser_of(alice)

    assert guesses(first, 3) == [400, 400, 429]
    assert guesses(second, 1) == [400]


def test_a_right_code_gives_its_own_guess_back_and_no_other(tv: Registered, alice: Any) -> None:
    browser = browser_of(alice)
    assert guesses(browser, 9) == [400] * 9
    for _request in range(3):
        assert enter(browser, asked_codes(tv)["user_code"]).status_code == 303

    assert guesses(browser, 2) == [400, 429]
