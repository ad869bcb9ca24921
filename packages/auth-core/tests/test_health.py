"""Health probes: cheap, and answered before all other middleware."""

from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client as Browser

from auth_core.observability import health
from auth_core.observability.health import Status

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def asked_afresh() -> None:
    health._migrated.clear()


def test_the_health_probe_uses_no_database(django_assert_num_queries: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["auth.example.org"]

    with django_assert_num_queries(0):
        answer = Browser().get("/health/", HTTP_HOST="10.1.2.3:8000")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/health/", "/ready/"])
@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_a_probe_allows_only_reading(path: str, method: str) -> None:
    assert getattr(Browser(), method)(path).status_code == 405


def test_the_probe_fails_until_all_migrations_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    pending: list[bool] = [True, False]
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: ["0002"] if pending.pop(0) else [])

    assert health.migrations().status is Status.FAILED
    assert health.migrations().status is Status.OK
    assert health.migrations().status is Status.OK
    assert pending == []


def test_a_database_that_does_not_answer_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(connection, "cursor", gone)

    ready = Browser().get("/ready/")

    assert ready.status_code == 503
    assert ready.json()["parts"]["database"] == "failed"
