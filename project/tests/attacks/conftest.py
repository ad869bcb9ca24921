"""One service for all attacks: production settings, PostgreSQL, Redis, TLS, two workers, no proxy."""

from collections.abc import Iterator
from typing import Any

import pytest

from attacks.stage import Caller, Stage, mail_folder
from auth_core.testing.redis import OwnRedis
from live.mailbox import Mailbox
from live.service import Service


@pytest.fixture(scope="session")
def redis() -> Iterator[OwnRedis]:
    """The Redis of the service."""
    with OwnRedis() as running:
        yield running


@pytest.fixture(scope="session")
def stage(tmp_path_factory: Any, redis: OwnRedis) -> Iterator[Stage]:
    """The service with its users. No protection is disabled."""
    folder = tmp_path_factory.mktemp("attacks")
    mails = mail_folder(folder)
    environment = {
        "DJANGO_SETTINGS_MODULE": "enterprise_auth.settings.production",
        "EMAIL_FILE_PATH": str(mails),
        "WEB_THREADS": "8",
    }
    with Service(folder, redis.url, environment=environment) as service:
        yield Stage(service, Mailbox(mails))


@pytest.fixture
def attacker(stage: Stage) -> Caller:
    """A client in a network of its own."""
    return stage.caller()
