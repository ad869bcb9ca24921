"""User journeys with passkeys, in Chromium with a virtual authenticator, against the running service."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import CDPSession

from auth_core.testing.factories import PASSWORD
from auth_core.testing.redis import OwnRedis
from live.chromium import Open, Window, add_person, log_in_at
from live.service import Service

pytestmark = [pytest.mark.postgresql, pytest.mark.live, pytest.mark.shots]


#: A browser without passkeys in autofill, where only the button remains.
OFFER_NOTHING = "PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false);"


class Authenticator:
    """A virtual authenticator of one window (WebAuthn Level 3 section 11.2, over Chromium's protocol)."""

    def __init__(self, window: Window, **options: Any) -> None:
        self._devtools: CDPSession = window.page.context.new_cdp_session(window.page)
        self._devtools.send("WebAuthn.enable")
        self.add(**options)

    def add(self, **options: Any) -> None:
        """Add an authenticator. By default it is that of a phone or a laptop."""
        settings = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
            **options,
        }
        self._id = self._devtools.send("WebAuthn.addVirtualAuthenticator", {"options": settings})["authenticatorId"]

    @property
    def credentials(self) -> list[dict[str, Any]]:
        """The credentials of the authenticator."""
        credentials: list[dict[str, Any]] = self._devtools.send(
            "WebAuthn.getCredentials", {"authenticatorId": self._id}
        )["credentials"]
        return credentials

    def skip_user_verification(self) -> None:
        """Answer with UV=0. By default Chromium always verifies the user of a passkey."""
        self._devtools.send("WebAuthn.setResponseOverrideBits", {"authenticatorId": self._id, "isBadUV": True})

    def unplug(self) -> None:
        """Remove the authenticator."""
        self._devtools.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": self._id})

    def touch(self, is_touched: bool) -> None:
        """Simulate a touch on each request, or none."""
        self._devtools.send(
            "WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self._id, "enabled": is_touched}
        )


@pytest.fixture(scope="module")
def service(tmp_path_factory: Any) -> Iterator[Service]:
    with OwnRedis() as redis, Service(tmp_path_factory.mktemp("service"), redis.url) as running:
        yield running


def acr_in(window: Window) -> str:
    """Return the assurance level of the session in this window."""
    return str(window.page.evaluate("() => fetch('/api/v1/me/').then((answer) => answer.json())")["acr"])


def add_passkey(window: Window, name: str, *, by_enter: bool = False) -> None:
    window.open("/account/second-factors/")
    window.press("Add a passkey or security key")
    window.look("passkey-begin")
    window.press("Continue")
    window.look("passkey-make")
    window.fill(name=name)
    if by_enter:
        with window.page.expect_navigation():
            window.page.locator('[name="name"]').press("Enter")
    else:
        window.press("Create passkey")
    assert (window.path, "was added" in window.text, name in window.text) == ("/account/second-factors/", True, True)
    window.look("factors-passkey")


def with_passkey(
    service: Service, windows: Open, email: str, name: str, *, by_enter: bool = False
) -> tuple[Window, Authenticator]:
    """Return the window of a user who has just added a passkey, and its authenticator."""
    here = windows()
    add_person(service, email)
    key = Authenticator(here)
    key.touch(False)
    log_in_at(here, email)
    key.touch(True)
    add_passkey(here, name, by_enter=by_enter)
    return here, key


def test_a_passkey_from_registration_to_a_login_without_a_password(service: Service, windows: Open) -> None:
    email, here = "pia@example.org", windows()
    add_person(service, email)
    key = Authenticator(here)
    key.touch(False)
    log_in_at(here, email)
    assert (here.path, acr_in(here)) == ("/account/", "aal1")
    key.touch(True)
    add_passkey(here, "Laptop")
    assert [credential["isResidentCredential"] for credential in key.credentials] == [True]
    here.press("Sign out")

    key.touch(False)
    log_in_at(here, email)
    assert (here.path, here.title) == ("/login/answer/", "Use your passkey")
    here.look("answer-passkey")
    key.touch(True)
    here.press("Continue")
    assert here.path == "/account/"
    assert acr_in(here) in ("aal2", "aal3")
    here.press("Sign out")

    here.page.add_init_script(OFFER_NOTHING)
    here.open("/login/?next=/account/password/")
    here.page.get_by_role("button", name="Sign in with a passkey").wait_for()
    here.look("login-passkey")
    here.press("Sign in with a passkey")
    assert here.path == "/account/password/"
    assert acr_in(here) in ("aal2", "aal3")


def test_a_passkey_that_verified_its_user_once_must_verify_again(service: Service, windows: Open) -> None:
    here, key = with_passkey(service, windows, "uwe@example.org", "Key ring")
    here.press("Sign out")

    key.skip_user_verification()
    here.open("/login/")
    here.page.get_by_text("Passkey not accepted").wait_for()

    assert here.page.evaluate("() => fetch('/api/v1/me/').then((answer) => answer.status)") == 401


def test_the_browser_offers_passkeys_in_autofill(service: Service, windows: Open) -> None:
    here, _key = with_passkey(service, windows, "ada@example.org", "Phone", by_enter=True)
    here.press("Sign out")

    # The authenticator accepts the autofill offer at once, without a button.
    here.open("/login/")
    here.page.wait_for_url("**/account/")

    assert acr_in(here) in ("aal2", "aal3")


def test_a_cancelled_passkey_shows_a_message_and_can_be_retried(service: Service, windows: Open) -> None:
    email = "eve@example.org"
    here, key = with_passkey(service, windows, email, "Laptop")
    here.press("Sign out")
    key.touch(False)
    log_in_at(here, email)
    key.unplug()
    key.add()

    here.page.get_by_role("button", name="Continue").click()
    here.page.get_by_text("No passkey was used").wait_for()

    here.look("answer-passkey-failed")
    assert here.path == "/login/answer/"


def test_a_device_creates_no_second_passkey(service: Service, windows: Open) -> None:
    here, key = with_passkey(service, windows, "ian@example.org", "Laptop")
    here.open("/account/second-factors/passkeys/add/")
    assert here.title == "Confirm it's you"
    here.press("Continue")
    here.fill(password=PASSWORD)
    here.press("Continue")
    here.press("Continue")
    here.press("Continue")

    here.page.get_by_role("button", name="Create passkey").click()

    here.page.get_by_text("This device already has a passkey for this account.").wait_for()
    assert len(key.credentials) == 1


def test_without_scripts_the_password_still_signs_in_and_passkeys_stay_hidden(service: Service, windows: Open) -> None:
    email, here = "old@example.org", windows(scripts=False)
    add_person(service, email)
    here.open("/login/")
    assert "passkey" not in here.text
    here.look("login-plain")

    log_in_at(here, email)
    here.open("/account/second-factors/passkeys/add/")
    here.press("Continue")

    assert "need JavaScript" in here.text
    assert here.page.get_by_role("button", name="Create passkey").count() == 0
    here.look("passkey-make-plain")
