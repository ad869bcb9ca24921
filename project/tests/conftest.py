"""Shared fixtures for journeys in a browser. The test kits of the packages provide the others."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, sync_playwright

from answers import answer_check
from auth_core.testing.postgresql import run_on_own_server
from live.chromium import Open, Watch, launch, watched_windows
from live.mailbox import Mailbox
from live.service import Service


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """Use a PostgreSQL that runs only these tests. Sealing waits for every transaction of its server."""
    with run_on_own_server():
        yield


@pytest.fixture(autouse=True, scope="session")
def described_answers() -> Iterator[None]:
    """Compare every answer of the API, in every test, with its schema."""
    request = Client.request

    def compared(client: Client, **environ: Any) -> Any:
        response = request(client, **environ)
        if environ["PATH_INFO"].startswith("/api/v1/"):
            answer_check().compare(environ["REQUEST_METHOD"], environ["PATH_INFO"], response)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "request", compared)
        yield


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One Chromium for the journeys in a file."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def mails(tmp_path_factory: Any) -> Mailbox:
    """The mails of the service in a file."""
    return Mailbox(tmp_path_factory.mktemp("mails"))


@pytest.fixture
def watch(service: Service) -> Watch:
    """The faults seen in the windows of one test."""
    return Watch(service.url)


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def scripts(request: Any) -> bool:
    """Whether pages may run scripts. A journey runs with and without."""
    return bool(request.param)


@pytest.fixture
def windows(chromium: Browser, watch: Watch) -> Iterator[Open]:
    """A function that opens a new browser. A fault in any of its pages fails the test."""
    with watched_windows(chromium, watch) as new:
        yield new
