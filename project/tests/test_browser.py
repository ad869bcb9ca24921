"""User journeys in a browser against the running service, with and without scripts."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser

from auth_core.testing.factories import PASSWORD
from auth_core.testing.redis import OwnRedis
from auth_mfa import oath
from live.chromium import Open, Watch, Window, add_person, digits_in, log_in_at
from live.mailbox import Mailbox
from live.service import Service

pytestmark = [pytest.mark.postgresql, pytest.mark.live, pytest.mark.shots]

NEW = "another battery horse staple"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"


@pytest.fixture(scope="module")
def service(tmp_path_factory: Any, mails: Mailbox) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    with OwnRedis() as redis, Service(folder, redis.url, {"EMAIL_FILE_PATH": str(mails.folder)}) as running:
        yield running


@pytest.fixture
def windows(windows: Open, scripts: bool) -> Open:
    """A function that opens a new browser, with or without scripts."""
    return partial(windows, scripts=scripts)


def name_of(person: str, scripts: bool) -> str:
    """Return a long address that no other test uses."""
    return f"{person}.of.a.rather.long.name.{'js' if scripts else 'plain'}@example.org"


def code_for(secret: str, *, steps: int = 0) -> str:
    """Return the code of an app, *steps* time steps from now."""
    return oath.code_at(oath.from_base32(secret.replace(" ", "")), oath.step_at(time.time()) + steps)


def wait_for_a_fresh_step() -> None:
    """Wait until the current code is valid for twenty more seconds, and so is the code of the previous step."""
    while time.time() % 30 > 10:
        time.sleep(0.2)


def sign_up_on_pages(here: Window, mails: Mailbox, email: str) -> None:
    here.open("/login/")
    here.look("login")
    here.press("Create account")
    here.look("signup")
    here.fill(email=email, password=PASSWORD)
    here.press("Continue")
    here.look("signup-code")
    first = digits_in(mails.next_to(email))
    here.press("No email? Send it again")
    here.look("signup-code-again")
    second = digits_in(mails.next_to(email))
    here.fill(code="000000" if "000000" not in (first, second) else "111111")
    here.press("Confirm")
    assert "is wrong" in here.error_beside("code")
    here.look("signup-code-wrong")
    here.fill(code=second)
    here.press("Confirm")
    assert here.title == "Your account is ready"
    here.look("signup-done")


def add_app(here: Window) -> tuple[str, str]:
    """Add an app. Return its key and the spent code."""
    here.press("Second factors")
    here.look("factors-none")
    here.press("Add an authenticator app")
    here.look("factor-begin")
    here.press("Continue")
    here.look("factor-confirm")
    secret = here.page.locator("code").inner_text()
    here.fill(code="12345")
    here.press("Confirm")
    assert here.error_beside("code")
    here.look("factor-confirm-wrong")
    wait_for_a_fresh_step()
    code = code_for(secret, steps=-1)
    here.fill(code=code)
    here.press("Confirm")
    assert "was added" in here.text
    here.look("factors")
    return secret, code


def test_from_sign_up_to_a_login_with_a_second_factor(windows: Open, mails: Mailbox, scripts: bool) -> None:
    email, here = name_of("alice", scripts), windows()
    sign_up_on_pages(here, mails, email)
    log_in_at(here, email)
    assert (here.path, email in here.text) == ("/account/", True)
    here.look("account-without-factor")
    secret, spent = add_app(here)
    here.press("Sign out")
    assert here.title == "You are signed out"
    here.look("logged-out")

    log_in_at(here, email)
    assert (here.path, "Authenticator app" in here.text) == ("/login/answer/", True)
    here.look("answer")
    here.fill(code=spent)
    here.press("Continue")
    assert (here.status, "is wrong" in here.error_beside("code")) == (401, True)
    here.look("answer-wrong")
    here.fill(code=code_for(secret))
    here.press("Continue")
    assert here.path == "/account/"
    here.look("account")
    here.press("Second factors")
    here.press("Remove Authenticator app")
    here.look("factor-remove")
    here.press("Remove")
    assert "was removed" in here.text


def test_a_user_changes_their_password(windows: Open, service: Service, scripts: bool) -> None:
    email, here = name_of("gwen", scripts), windows()
    add_person(service, email)
    log_in_at(here, email)
    here.press("Password")
    here.look("password")
    here.fill(current_password="wrong", new_password=NEW)
    here.press("Change password")
    assert "not your current password" in here.error_beside("current_password")
    here.look("password-wrong")
    here.fill(current_password=PASSWORD, new_password=NEW)
    here.press("Change password")
    assert "was changed" in here.text
    here.look("password-changed")
    here.press("Sign out")
    assert here.path == "/logged-out/"
    log_in_at(here, email, NEW)
    assert here.path == "/account/"


def test_a_forgotten_password_is_reset(windows: Open, service: Service, mails: Mailbox, scripts: bool) -> None:
    email, here = name_of("bob", scripts), windows()
    add_person(service, email)
    here.open("/login/")
    here.press("Forgot your password?")
    here.look("forgot")
    here.fill(email=email)
    here.press("Send link")
    here.look("forgot-sent")
    text = here.text
    link = mails.link_to(email)
    here.open("/password/forgot/")
    here.fill(email=f"nobody.{email}")
    here.press("Send link")
    assert here.text == text

    here.open(link)
    assert here.path == "/password/reset/"
    here.look("reset")
    here.fill(password="short")
    here.press("Set password")
    assert "15" in here.error_beside("password")
    here.look("reset-short")
    here.fill(password=NEW)
    here.press("Set password")
    here.look("reset-done")
    log_in_at(here, email, NEW)
    assert here.path == "/account/"

    elsewhere = windows()
    elsewhere.open(link)
    elsewhere.fill(password=NEW)
    elsewhere.press("Set password")
    assert elsewhere.title == "This link is no longer valid"
    elsewhere.look("link-used")


def test_a_user_reviews_sessions_and_reports_a_foreign_login(
    windows: Open, service: Service, mails: Mailbox, scripts: bool
) -> None:
    email, here, thief = name_of("ivy", scripts), windows(user_agent=FIREFOX), windows()
    add_person(service, email)
    log_in_at(here, email)
    log_in_at(thief, email)
    link = mails.link_to(email)
    here.press("Sessions and devices")
    assert (here.path, here.text.count("This session")) == ("/account/sessions/", 1)
    here.look("sessions")
    here.press("Rename Firefox · Linux")
    here.fill(name="The one in the office, with a rather long name")
    here.look("device-name")
    here.press("Save")
    assert "The one in the office" in here.text
    here.press("Block The one in the office, with a rather long name")
    here.look("device-block")
    here.press("Back")
    here.press("Sign out everywhere else")
    here.look("sessions-end-others")
    here.press("Sign out everywhere else")
    assert "were ended" in here.text
    thief.open("/account/")
    assert thief.path == "/login/"

    log_in_at(thief, email)
    here.open(link)
    assert here.path == "/not-me/"
    here.look("not-me")
    here.press("Lock my account")
    assert here.title == "Your account is locked"
    here.look("not-me-done")
    thief.open("/account/")
    assert thief.path == "/login/"
    here.press("Choose a new password")
    assert here.path == "/password/forgot/"


def test_a_link_opened_in_another_browser_asks_for_the_password(windows: Open, mails: Mailbox, scripts: bool) -> None:
    email, here, elsewhere = name_of("carol", scripts), windows(), windows()
    here.open("/signup/")
    here.fill(email=email, password=PASSWORD)
    here.press("Continue")

    elsewhere.open(mails.link_to(email))
    elsewhere.look("confirm-link")
    elsewhere.press("Confirm")
    elsewhere.look("confirm-password")
    elsewhere.fill(password=NEW)
    elsewhere.press("Confirm")
    assert elsewhere.status == 401
    elsewhere.look("confirm-password-wrong")
    elsewhere.fill(password=PASSWORD)
    elsewhere.press("Confirm")
    assert elsewhere.title == "Your account is ready"


def test_the_first_administrator_signs_in_and_invites(
    windows: Open, service: Service, mails: Mailbox, scripts: bool
) -> None:
    email, invited, here = name_of("root", scripts), name_of("dora", scripts), windows()
    here.open(service.manage("bootstrap_link", "--quiet").strip())
    here.look("setup")
    here.fill(email=email, password=PASSWORD)
    here.press("Create account")
    assert here.title == "Add an authenticator app"
    here.look("setup-factor")
    here.fill(code=code_for(here.page.locator("code").inner_text()))
    here.press("Confirm")
    assert here.path == "/account/"
    here.open("/admin/")
    assert here.path == "/admin/"
    here.open("/admin/auth_core/invitation/add/")
    here.fill(address=invited)
    here.press("Save")

    guest = windows()
    guest.open(mails.link_to(invited))
    guest.look("invitation")
    guest.fill(password=PASSWORD)
    guest.press("Create account")
    guest.look("invitation-done")
    log_in_at(guest, invited)
    assert guest.path == "/account/"
    service.remove_superusers()


def test_errors_are_shown_to_the_user(windows: Open, service: Service, scripts: bool) -> None:
    email, here = name_of("erin", scripts), windows()
    add_person(service, email)
    log_in_at(here, email, "wrong wrong wrong wrong")
    wrong = here.text
    assert (here.status, "Incorrect" in wrong) == (401, True)
    here.look("login-wrong")
    log_in_at(here, f"nobody.{email}", "wrong wrong wrong wrong")
    assert here.text.replace(f"nobody.{email}", email) == wrong
    here.open("/login/")
    here.press("Sign in")
    assert here.error_beside("identifier")
    assert here.error_beside("password")
    here.look("login-empty")

    here.open("/signup/")
    here.fill(email="none", password="short")
    here.press("Continue")
    assert here.error_beside("email")
    here.look("signup-wrong")

    here.open("/password/reset/elr_" + "x" * 43 + "/")
    here.fill(password=NEW)
    here.press("Set password")
    assert here.title == "This link is no longer valid"

    here.open("/login/")
    here.page.context.clear_cookies()
    here.fill(identifier=email, password=PASSWORD)
    here.press("Sign in")
    assert here.status == 403
    here.look("csrf")
    here.open("/nothing/is/here/")
    assert here.status == 404
    here.look("not-found")
    here.open("/email/resend/")
    here.look("resend")


def test_a_lost_database_is_reported_as_temporary(windows: Open, service: Service, scripts: bool) -> None:
    email, here = name_of("fay", scripts), windows()
    add_person(service, email)
    log_in_at(here, email)
    here.press("Password")
    here.fill(current_password=PASSWORD, new_password=NEW)
    with service.without_database():
        here.press("Change password")
        assert here.status == 503
        assert "Temporarily unavailable" in here.text
        here.look("unavailable")

    deadline = time.monotonic() + 20
    while here.status != 200 and time.monotonic() < deadline:
        here.open("/account/")
    assert email in here.text


# --- The detectors of faults -----------------------------------------------------


@pytest.fixture
def planted(chromium: Browser, watch: Watch, service: Service, scripts: bool) -> Iterator[Window]:
    """A window for a page with a planted fault."""
    window = Window(chromium, watch, scripts=scripts, folder=None)
    window.open("/login/")
    yield window
    window.close()


PLANT_STYLE = "document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">x</p>')"
PLANT_SCRIPT = """() => {
    const script = document.createElement('script'); script.textContent = 'void 0'; document.body.append(script);
}"""
PLANT_IMAGE = (
    "() => { const image = new Image(); image.src = 'https://foreign.example/x.png'; document.body.append(image); }"
)


@pytest.mark.parametrize("plant", [PLANT_STYLE, PLANT_IMAGE, PLANT_SCRIPT], ids=["style", "image", "script"])
def test_policy_violations_are_recorded(planted: Window, watch: Watch, plant: str) -> None:
    planted.page.evaluate(plant)
    planted.page.wait_for_timeout(200)

    in_console = [report for report in watch.violations if report.startswith("console: ")]
    by_event = [report for report in watch.violations if report not in in_console]
    # Without scripts, no script is refused either.
    assert bool(in_console) == (planted.scripts or plant != PLANT_SCRIPT)
    assert bool(by_event) == planted.scripts


@pytest.mark.parametrize("policy", ["", "default-src 'none'; style-src 'unsafe-inline'"])
def test_a_page_without_a_strict_policy_is_detected(planted: Window, watch: Watch, policy: str) -> None:
    assert watch.faults == []
    headers = {"Content-Security-Policy": policy} if policy else {}
    planted.page.route("**/logged-out/", lambda route: route.fulfill(body="<h1>x</h1>", headers=headers))

    planted.open("/logged-out/")

    assert ["has the policy" in fault for fault in watch.faults] == [True]


def test_foreign_requests_are_recorded(chromium: Browser, watch: Watch, scripts: bool) -> None:
    window = Window(chromium, watch, scripts=scripts, folder=None, bypass_csp=True)
    window.open("/login/")
    assert watch.foreign == []

    window.page.evaluate(PLANT_IMAGE)
    window.page.wait_for_timeout(200)

    assert watch.foreign == ["https://foreign.example/x.png"]
    window.close()


@pytest.mark.parametrize(
    ("plant", "fault"),
    [
        ("document.body.insertAdjacentHTML('beforeend', '<pre>' + 'x'.repeat(200) + '</pre>')", "px wide"),
        ("document.body.insertAdjacentHTML('beforeend', '<h4>x</h4>')", "headings skip"),
        ("document.querySelector('label').remove()", "no visible label"),
        ("document.querySelector('input[name=identifier]').removeAttribute('autocomplete')", "no autocomplete"),
        ("document.documentElement.removeAttribute('lang')", "language"),
        ("document.querySelector('h1').style.color = '#ccc'", "to 1"),
        ("document.querySelector('main button').style.outline = 'none'", "shows no focus"),
    ],
    ids=lambda value: value if value.isascii() and len(value) < 20 else "",
)
def test_faults_of_a_page_are_detected(planted: Window, watch: Watch, plant: str, fault: str) -> None:
    planted.look("planted")
    assert watch.faults == []

    planted.page.evaluate(plant)
    planted.look("planted")

    assert any(fault in noted for noted in watch.faults), watch.faults
