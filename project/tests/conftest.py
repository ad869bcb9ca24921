"""What the composition's tests share; the fixtures of most are the kit's, those of journeys in a browser stand here."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from auth_core.testing.factories import PASSWORD
from live.chromium import Open, Watch, launch, watched_windows
from live.mailbox import Mailbox
from live.service import Service

__all__ = ["PASSWORD"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium for the journeys of a file."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def mails(tmp_path_factory: Any) -> Mailbox:
    """Where the service of a file puts its mails."""
    return Mailbox(tmp_path_factory.mktemp("mails"))


@pytest.fixture
def watch(service: Service) -> Watch:
    """What must never happen in the windows of one test."""
    return Watch(service.url)


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def scripts(request: Any) -> bool:
    """Whether pages may run scripts; a journey goes both ways."""
    return bool(request.param)


@pytest.fixture
def windows(chromium: Browser, watch: Watch) -> Iterator[Open]:
    """Opens a browser of its own for each call; whatever the pages did wrong in any fails the test."""
    with watched_windows(chromium, watch) as new:
        yield new
