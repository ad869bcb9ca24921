"""The API while its database is down, and afterwards."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client as Browser

from auth_core.testing.browsers import log_in
from auth_core.testing.factories import make_user
from auth_core.testing.postgresql import OwnPostgreSQL, as_default_database

pytestmark = pytest.mark.postgresql


@pytest.fixture
def mortal(own_postgresql: OwnPostgreSQL, django_db_setup: None, django_db_blocker: Any) -> Iterator[OwnPostgreSQL]:
    """A database server for this test alone."""
    with django_db_blocker.unblock(), as_default_database(own_postgresql):
        call_command("migrate", verbosity=0)
        yield own_postgresql


def test_a_killed_database_is_unavailable_and_recovers(mortal: OwnPostgreSQL) -> None:
    make_user("alice@example.org")
    caller = Browser(raise_request_exception=False)
    assert log_in(caller).status_code == 200

    mortal.kill()
    answers = [log_in(Browser()), caller.get("/api/v1/me/"), log_in(Browser(), password="wrong")]
    mortal.start()

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
    assert caller.get("/api/v1/me/").status_code == 200
    assert log_in(Browser()).status_code == 200


def test_a_paused_database_answers_after_it_continues(own_postgresql: OwnPostgreSQL) -> None:
    assert own_postgresql._answers()

    own_postgresql.pause()
    hangs = not own_postgresql._answers()
    own_postgresql.go_on()

    assert hangs
    assert own_postgresql._answers()
