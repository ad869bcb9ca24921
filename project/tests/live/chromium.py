"""A person before a browser: Debian's Chromium, driven by Playwright, and watched."""

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

#: Where pictures of the pages go.
SHOTS = ROOT / "var" / "shots"

#: Names under which Chromium is installed; Playwright's own download is not used.
_NAMES = ("chromium", "chromium-browser", "google-chrome")

#: A page wider than the narrowest screen would have to be pushed sideways (WCAG 2.2, 1.4.10).
NARROWEST = 320
WIDTHS = (390, 1280)

_REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  window.reportViolation(`${event.violatedDirective}: ${event.blockedURI} ${event.sample}`));
"""


def launch(playwright: Playwright) -> Browser:
    """Start Chromium, which finds no host but ours.

    Raises:
        FileNotFoundError: it is not installed.
    """
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise FileNotFoundError("Chromium is not installed: apt-get install chromium")
    rules = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"
    return playwright.chromium.launch(executable_path=found, args=["--no-sandbox", rules])


@dataclass
class Watch:
    """What must never happen while somebody uses the pages; all windows of a test share one.

    Args:
        origin: Ours; a request to any other is foreign.
    """

    origin: str
    violations: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    pages: int = 0

    def attach(self, context: BrowserContext) -> None:
        """Watch every page of *context*: by an event where scripts run, by the console in any case."""
        context.expose_binding("reportViolation", lambda source, told: self.violations.append(told))
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", self._read_console)
        context.on("request", self._see_request)
        context.on("response", self._see_response)

    def _read_console(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text or "Content-Security-Policy" in message.text:
            self.violations.append(f"console: {message.text}")

    def _see_request(self, request: Request) -> None:
        if urlsplit(request.url).scheme not in ("data", "blob") and not request.url.startswith(f"{self.origin}/"):
            self.foreign.append(request.url)

    def _see_response(self, response: Response) -> None:
        if response.request.resource_type != "document" or not response.url.startswith(f"{self.origin}/"):
            return
        self.pages += 1
        policy = response.headers.get("content-security-policy", "")
        if "default-src 'none'" not in policy or "unsafe-inline" in policy:
            self.faults.append(f"{response.url} has the policy {policy!r}")


class Window:
    """One browser of one person: types, presses, reads; and has its pages looked at."""

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
        """Close it; its cookies are gone."""
        self._context.close()

    def open(self, address: str) -> None:
        """Go to an address."""
        self.page.goto(address)

    def fill(self, **fields: str) -> None:
        """Type into the fields that can be seen."""
        for name, value in fields.items():
            self.page.locator(f'[name="{name}"]:visible').fill(value)

    def press(self, label: str) -> None:
        """Press a button, or follow a link, and wait for the page it leads to."""
        found = self.page.get_by_role("button", name=label, exact=True)
        target = found if found.count() else self.page.get_by_role("link", name=label, exact=True)
        with self.page.expect_navigation(wait_until="load"):
            target.first.click()

    @property
    def title(self) -> str:
        """The heading of the page."""
        return self.page.locator("h1").inner_text()

    @property
    def text(self) -> str:
        """What stands on the page."""
        return self.page.locator("body").inner_text()

    @property
    def path(self) -> str:
        """Where it is."""
        return urlsplit(self.page.url).path

    def error_beside(self, name: str) -> str:
        """Return what stands beside a field, tied to it for screen readers."""
        described = self.page.locator(f'[name="{name}"]').get_attribute("aria-describedby") or ""
        beside = [self.page.locator(f"#{part}") for part in described.split() if part.endswith("-error")]
        return " ".join(found.inner_text() for found in beside)

    def look(self, name: str) -> None:
        """Keep a picture of the page in each width, and note what is wrong with it in either scheme."""
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
    """Return the code of six digits that stands in *text*."""
    found = re.search(r"\b(\d{6})\b", text)
    assert found, text
    return found[1]


#: Opens a window; ``scripts=False`` for one that runs none.
Open = Callable[..., Window]


@contextmanager
def watched_windows(chromium: Browser, watch: Watch) -> Iterator[Open]:
    """Let windows be opened; close them, and see that no page did what it must not.

    Raises:
        AssertionError: a page broke the policy, asked a stranger for something or was faulty; or none was seen.
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
    """Make somebody with a proven address."""
    service.manage("create_user", "--email", email, "--verified", given=f"{PASSWORD}\n")


def log_in(window: Window, email: str, password: str = PASSWORD) -> None:
    """Give the first proof on the page of the login."""
    window.open("/login/")
    window.fill(identifier=email, password=password)
    window.press("Sign in")
