"""A user's browser: Debian's Chromium, driven by Playwright, with checks of every page."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, Request, Response

from auth_core.testing.factories import PASSWORD
from live.inspection import contrasts, faults_of
from live.service import ROOT, Service

#: The folder for screenshots.
SHOTS = ROOT / "var" / "shots"

#: Names of installed Chromium programs. Playwright's own download is not used.
_NAMES = ("chromium", "chromium-browser", "google-chrome")

#: A page wider than the narrowest screen needs horizontal scrolling (WCAG 2.2, 1.4.10).
NARROWEST = 320
WIDTHS = (390, 1280)

_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  window.reportViolation(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""


def launch(playwright: Playwright) -> Browser:
    """Start Chromium, which reaches only this machine: the service at localhost, and sites of others at 127.0.0.1.

    Raises:
        FileNotFoundError: Chromium is not installed.
    """
    executable = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if executable is None:
        raise FileNotFoundError("Chromium is not installed: apt-get install chromium")
    rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
    return playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", rules])


@dataclass
class Watch:
    """The faults seen while the pages are used. All windows of a test share one.

    Args:
        origin: The origin of the service. A request to any other is foreign.
        clients: The origins of applications that people sign in to, which are not foreign.
    """

    origin: str
    clients: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    pages: int = 0

    def attach(self, context: BrowserContext) -> None:
        """Watch every page of *context*: always through the console, and by an event if scripts run."""
        context.expose_binding("reportViolation", lambda source, report: self.violations.append(report))
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", self._read_console)
        context.on("request", self._check_request)
        context.on("response", self._check_response)

    def _read_console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            self.violations.append(f"console: {message.text}")

    def _check_request(self, request: Request) -> None:
        expected = tuple(f"{origin}/" for origin in (self.origin, *self.clients))
        if urlsplit(request.url).scheme not in ("data", "blob") and not request.url.startswith(expected):
            self.foreign.append(request.url)

    def _check_response(self, response: Response) -> None:
        if response.request.resource_type != "document" or not response.url.startswith(f"{self.origin}/"):
            return
        self.pages += 1
        policy = response.headers.get("content-security-policy", "")
        if "default-src 'none'" not in policy or "unsafe-inline" in policy:
            self.faults.append(f"{response.url} has the policy {policy!r}")


class Window:
    """One browser of one user, whose pages are checked."""

    def __init__(self, browser: Browser, watch: Watch, *, scripts: bool, folder: Path | None, **options: Any) -> None:
        self._context = browser.new_context(
            base_url=watch.origin, ignore_https_errors=True, java_script_enabled=scripts, **options
        )
        watch.attach(self._context)
        self._watch, self._folder, self.scripts = watch, folder, scripts
        self.page: Page = self._context.new_page()
        self.status = 0
        self.page.on("response", self._keep_status)

    def close(self) -> None:
        """Close the browser and discard its cookies."""
        self._context.close()

    def open(self, address: str) -> None:
        """Go to an address."""
        self.page.goto(address)

    def fill(self, **fields: str) -> None:
        """Fill in visible fields."""
        for name, value in fields.items():
            self.page.locator(f'[name="{name}"]:visible').fill(value)

    def press(self, label: str) -> None:
        """Press a button or follow a link, and wait for the next page."""
        button = self.page.get_by_role("button", name=label, exact=True)
        target = button if button.count() else self.page.get_by_role("link", name=label, exact=True)
        with self.page.expect_navigation(wait_until="load"):
            target.first.click()

    def press_away(self, label: str, address: str) -> None:
        """Press a button after which pages lead to *address*, which is at another site, and wait until they have."""
        self.page.get_by_role("button", name=label, exact=True).click()
        self.page.wait_for_url(lambda url: url.startswith(address))

    @property
    def title(self) -> str:
        """The heading of the page."""
        return self.page.locator("h1").inner_text()

    @property
    def text(self) -> str:
        """The text of the page."""
        return self.page.locator("body").inner_text()

    @property
    def path(self) -> str:
        """The path of the page."""
        return urlsplit(self.page.url).path

    def error_beside(self, name: str) -> str:
        """Return the error message that describes a field for screen readers."""
        described = self.page.locator(f'[name="{name}"]').get_attribute("aria-describedby") or ""
        messages = [self.page.locator(f"#{part}") for part in described.split() if part.endswith("-error")]
        return " ".join(message.inner_text() for message in messages)

    def look(self, name: str) -> None:
        """Save screenshots of the page in each width, and note its faults in both color schemes."""
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme=scheme)
            self._note(name, [f"{scheme}: {low}" for low in contrasts(self.page)])
            if self._folder is not None:
                for width in WIDTHS if scheme == "light" else WIDTHS[:1]:
                    self.page.set_viewport_size({"width": width, "height": 800})
                    self.page.screenshot(
                        path=self._folder / f"{name}-{width}{'-dark' * (scheme == 'dark')}.png", full_page=True
                    )
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": NARROWEST, "height": 700})
        self._note(name, faults_of(self.page, width=NARROWEST))
        self.page.set_viewport_size({"width": 1280, "height": 800})

    def _note(self, name: str, faults: list[str]) -> None:
        self._watch.faults += [f"{name}: {fault}" for fault in faults]

    def _keep_status(self, response: Response) -> None:
        if response.request.resource_type == "document":
            self.status = response.status


def digits_in(text: str) -> str:
    """Return the six-digit code in *text*."""
    match = re.search(r"\b(\d{6})\b", text)
    assert match, text
    return match[1]


#: Opens a window. ``scripts=False`` disables scripts.
Open = Callable[..., Window]


@contextmanager
def watched_windows(chromium: Browser, watch: Watch) -> Iterator[Open]:
    """Yield a function that opens windows. Close them at the end and check for faults.

    Raises:
        AssertionError: a page violated the policy, sent a foreign request or had a fault, or no page was opened.
    """
    opened: list[Window] = []
    SHOTS.mkdir(parents=True, exist_ok=True)

    def new(*, scripts: bool = True, **options: Any) -> Window:
        opened.append(Window(chromium, watch, scripts=scripts, folder=SHOTS if scripts else None, **options))
        return opened[-1]

    yield new
    for window in opened:
        window.close()
    assert watch.pages > 0
    assert (watch.violations, watch.foreign, watch.faults) == ([], [], [])


def add_person(service: Service, email: str) -> None:
    """Create a user with a verified address."""
    service.manage("create_user", "--email", email, "--verified", stdin=f"{PASSWORD}\n")


def log_in_at(window: Window, email: str, password: str = PASSWORD) -> None:
    """Enter identifier and password on the login page."""
    window.open("/login/")
    window.fill(identifier=email, password=password)
    window.press("Sign in")
