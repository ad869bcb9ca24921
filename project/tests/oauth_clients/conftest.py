"""One service for the clients in a browser, and three nodes of another one for what processes know of each other."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from attacks.stage import mail_folder
from auth_core.testing.redis import OwnRedis
from live.chromium import Open, Window, add_person
from live.mailbox import Mailbox
from live.service import Service
from oauth_clients.callers import Nodes

SETTINGS = {"DJANGO_SETTINGS_MODULE": "oauth_clients.site_settings"}


@pytest.fixture(scope="package")
def service(tmp_path_factory: Any) -> Iterator[Service]:
    """The service with two processes."""
    with OwnRedis() as redis, Service(tmp_path_factory.mktemp("service"), redis.url, SETTINGS) as running:
        yield running


@pytest.fixture
def here(windows: Open) -> Window:
    """A browser."""
    return windows()


@pytest.fixture
def email(service: Service) -> str:
    """The address of a person who is in no other test."""
    address = f"{secrets.token_hex(4)}@example.org"
    add_person(service, address)
    return address


@pytest.fixture(scope="package")
def nodes(tmp_path_factory: Any) -> Iterator[Nodes]:
    """Three processes of one service, each at an address of its own."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("first", "early", "late")}
    mails = mail_folder(folders["first"])
    own = {**SETTINGS, "WEB_WORKERS": "1", "EMAIL_FILE_PATH": str(mails)}
    with OwnRedis() as redis, Service(folders["first"], redis.url, own) as first:
        shared = {**own, "PUBLIC_URL": first.url}
        early = Service(folders["early"], redis.url, {**shared, "EARLY_ANSWERS": "true"}, beside=first)
        late = Service(folders["late"], redis.url, {**shared, "EARLY_ANSWERS": "false"}, beside=first)
        with early, late:
            yield Nodes(first=first, early=early, late=late, mails=Mailbox(mails))
