"""The filters of production logging do not alter the signed output of the trail."""

import io
import json
import logging
from typing import Any

import pytest
from django.conf import settings as django_settings

from auth_audit.deliver import delivery
from auth_audit.models import Seal
from auth_audit.offline_verifier import canonical_json, leaf_hash, root_hash, verify_checkpoint
from auth_audit.seal.keys import trusted_keys
from auth_audit.testing.trail import seal_everything
from auth_core.events import AuthEvent, Event, record
from enterprise_auth.celery import app
from enterprise_auth.core.logging import logging_config

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.asvs("16.4.3")
@pytest.mark.asvs("16.2.3")
def test_checkpoints_and_entries_in_the_log_stream_verify(settings: Any) -> None:
    settings.AUTH_AUDIT = {"SINKS": [{"kind": "log", "entries": "yes"}]}
    record(Event(name=AuthEvent.LOGIN_FAILED, reason="password", data={"purpose": "login"}))
    seal_everything()
    stream = io.StringIO()
    logging.config.dictConfig(logging_config(level="INFO", style="json"))
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    try:
        delivery.deliver()
    finally:
        logging.config.dictConfig(django_settings.LOGGING)

    messages = [json.loads(json.loads(line)["line"]) for line in stream.getvalue().splitlines()]
    *entries, checkpoint = messages
    assert verify_checkpoint(checkpoint, trusted_keys()).root == root_hash(
        leaf_hash(canonical_json(one["entry"])) for one in entries
    )


@pytest.mark.asvs("16.2.3")
def test_logs_go_only_to_one_stream() -> None:
    config = logging_config(level="INFO", style="json")

    assert set(config["handlers"]) == {"stream"}
    assert all(not logger.get("handlers") for logger in config["loggers"].values())


def test_the_worker_task_seals_the_trail() -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED))

    app.loader.import_default_modules()  # as a worker does at start
    app.tasks["auth_audit.seal"]()

    assert Seal.objects.count() == 1
    assert app.conf.beat_schedule["seal the trail"]["task"] == "auth_audit.seal"
