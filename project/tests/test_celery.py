"""Celery: JSON messages, and tasks that run in the context of their sender."""

import threading
import time
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from celery import Celery

from auth_core.registries import sweeps
from auth_core.request import celery
from auth_core.request.context import TASK_HEADER, Context, bound, correlation_id
from auth_core.tasks import deliver_message, offer
from enterprise_auth.celery import app

# Celery runs Django's checks when it loads the tasks, and the checks query the database.
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def loaded(db: None) -> None:
    """Load the tasks, as a worker does at start."""
    app.loader.import_default_modules()


def test_a_task_runs_in_the_context_of_its_sender() -> None:
    headers: dict[str, Any] = {}
    with bound(Context(correlation_id="sender-12345")):
        celery.send_along(headers=headers)

    celery.enter(task_id="1", task=SimpleNamespace(request=SimpleNamespace(**headers)))
    inside = correlation_id()
    celery.leave(task_id="1")

    assert inside == "sender-12345"
    assert correlation_id() != "sender-12345"


def test_leaving_an_unknown_task_is_ignored() -> None:
    celery.leave(task_id="never began")


def test_messages_are_json_and_survive_lost_workers() -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert TASK_HEADER not in ("correlation_id", "id"), "Celery uses these itself"


def test_every_scheduled_task_exists() -> None:
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(app.tasks)


def test_every_sweep_runs() -> None:
    app.tasks["auth_core.sweep"]()

    ours = {
        "auth_core.guess_budgets",
        "auth_federation.states",
        "auth_oauth.client_documents",
        "auth_oauth.expired",
        "auth_oauth.signing_keys",
        "auth_core.links",
        "auth_core.outbox",
        "auth_core.pending_logins",
    }
    assert ours | {
        "auth_mfa.challenges",
        "auth_mfa.enrolments",
        "auth_sessions",
        "auth_sessions.devices",
        "auth_audit.partitions",
        "auth_audit.seal",
        "auth_audit.seal_lag",
    } == {name for name, _run in sweeps.items()}


def test_a_thread_uses_the_configured_broker() -> None:
    apps: list[Any] = []
    thread = threading.Thread(target=lambda: apps.append(deliver_message.app.main))
    thread.start()
    thread.join()

    assert apps == ["enterprise_auth"]


def test_an_offer_tries_the_broker_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = Celery("lost", broker="amqp://127.0.0.1:1//", set_as_current=False)
    monkeypatch.setattr("auth_core.tasks.deliver_message", lost.tasks["auth_core.deliver_message"])

    began = time.monotonic()

    assert not offer(UUID(int=1))
    assert time.monotonic() - began < 60
