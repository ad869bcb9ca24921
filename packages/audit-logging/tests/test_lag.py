"""How far sealing lags, what delays it, and the command that prints it."""

import logging
import os
from datetime import timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from auth_audit import checks
from auth_audit.seal import seal_lag
from auth_audit.testing.trail import another_writer, seal_everything
from auth_core.events import AuthEvent, Event, record
from auth_core.observability.health import Status
from auth_core.registries import sweeps

pytestmark = pytest.mark.django_db(transaction=True)


def append() -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED))


def output_of_audit_seal(*options: str) -> str:
    out = StringIO()
    call_command("audit_seal", *options, stdout=out)
    return out.getvalue()


def test_there_is_no_lag_when_everything_is_sealed() -> None:
    append()
    seal_everything()

    lag = seal_lag.seal_lag()

    assert (lag.age, lag.culprit, lag.is_late) == (timedelta(0), None, False)
    assert lag.metrics == {"auth_audit_seal_lag_seconds": 0.0, "auth_audit_seal_lag_culprit_pid": 0.0}
    assert seal_lag.probe().status is Status.OK


def test_the_lag_is_the_age_of_the_oldest_unsealed_entry(caplog: pytest.LogCaptureFixture) -> None:
    append()
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=False):
        lag = seal_lag.seal_lag()
        warned = dict(sweeps.items())["auth_audit.seal_lag"]()

        assert lag.age > timedelta(minutes=5)
        assert lag.is_late
        assert warned == 1
        assert seal_lag.probe().status is Status.DEGRADED
    assert "lags" in caplog.text
    assert caplog.records[-1].levelno == logging.WARNING


@pytest.mark.postgresql
def test_the_transaction_that_delays_sealing_is_reported() -> None:
    append()
    seal_everything()
    with another_writer() as pid:
        append()

        assert output_of_audit_seal() == "0 entries sealed.\n"
        assert f"pid {pid} in {connection.settings_dict['NAME']}, open since" in output_of_audit_seal("--status")
        assert seal_lag.seal_lag().metrics["auth_audit_seal_lag_culprit_pid"] == pid


@pytest.mark.postgresql
def test_a_transaction_on_the_shared_server_delays_no_test() -> None:
    shared = os.environ["TEST_DATABASE_URL"].replace("postgres://", "postgresql://")
    append()

    with psycopg.connect(shared) as other:
        other.execute("SELECT pg_current_xact_id()")

        assert seal_everything() == 1


def test_the_command_seals_and_prints_the_public_keys() -> None:
    append()

    assert output_of_audit_seal() == "1 entries sealed.\n"
    assert output_of_audit_seal("--keys").startswith("field.test:")
    assert "0 s old" in output_of_audit_seal("--status")


def test_the_command_fails_without_a_key(settings: Any) -> None:
    append()
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {}}

    with pytest.raises(CommandError):
        call_command("audit_seal")
    assert [error.id for error in checks.check_keys()] == ["auth_audit.E003"]


@pytest.mark.parametrize("key", ["not base64;", "c2hvcnQ"])
def test_a_malformed_key_is_reported_without_showing_it(key: str, settings: Any) -> None:
    settings.AUTH_AUDIT = {"SIGNING_KEYS": {"2026": key}}

    (error,) = checks.check_keys()

    assert "'2026'" in error.msg
    assert key not in error.msg
