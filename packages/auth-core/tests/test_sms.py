"""Text messages are sent once, after the commit, and stay encrypted until then."""

import logging
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import transaction
from django.utils import translation

from auth_core.messages import outbox, sms
from auth_core.messages.notify import NOWHERE
from auth_core.messages.outbox import NotInTransaction
from auth_core.messages.sms import MemoryBackend, NoSmsBackend, SmsBackend, Text, post_text
from auth_core.models import OutboxMessage
from auth_core.testing.texts import BACKEND, code_in_text, delivered_texts, the_text

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = "+431234567890"
CODE = "271828"


@pytest.fixture(autouse=True)
def captured(captured_texts: None) -> None:
    """Keep text messages in memory."""


def post_code(**changes: Any) -> OutboxMessage:
    with transaction.atomic():
        return post_text(**{"template": "code", "number": NUMBER, "secret": {"code": CODE}, **changes})


def test_a_text_arrives_with_its_code() -> None:
    post_code()

    text = the_text()

    assert text.number == NUMBER
    assert code_in_text(text) == CODE
    assert text.body == f"{CODE} is your code for auth.example.org. Do not share it with anyone."


def test_a_rolled_back_change_sends_nothing() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        post_text(template="code", number=NUMBER, secret={"code": CODE})
        _ = 1 / 0

    assert delivered_texts() == []


def test_a_text_needs_a_transaction() -> None:
    with pytest.raises(NotInTransaction):
        post_text(template="code", number=NUMBER)


def test_number_and_code_are_encrypted_and_wiped_when_delivered() -> None:
    post_code()
    before = str(OutboxMessage.objects.values().get())

    text = the_text()

    row = OutboxMessage.objects.get()
    assert NUMBER not in before
    assert CODE not in before
    assert (row.secret, row.outcome) == ("", "delivered")
    assert NUMBER not in repr(text)
    assert CODE not in repr(text)


def test_a_failed_backend_is_called_again_with_the_same_key(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keys: list[str] = []

    def fail_once(self: SmsBackend, text: Text, *, idempotency_key: str) -> None:
        keys.append(idempotency_key)
        if len(keys) == 1:
            raise ConnectionError(f"{text.number}: {text.body}")

    monkeypatch.setattr(MemoryBackend, "send", fail_once)
    posted = post_code()

    with caplog.at_level(logging.DEBUG):
        assert not outbox.deliver(posted.pk)
        OutboxMessage.objects.update(due_at=posted.created_at)
        assert outbox.deliver(posted.pk)

    assert keys == [str(posted.pk)] * 2
    logged = caplog.text + str([vars(record) for record in caplog.records])
    assert NUMBER not in logged
    assert CODE not in logged


def test_without_a_backend_no_text_is_posted(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": ""}

    with pytest.raises(NoSmsBackend):
        post_code()

    assert not sms.sends_texts()
    assert not OutboxMessage.objects.exists()


def test_a_removed_backend_leaves_the_text_pending(settings: Any) -> None:
    posted = post_code()
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": ""}

    assert not outbox.deliver(posted.pk)

    row = OutboxMessage.objects.get()
    assert (row.settled_at, row.problem) == (None, "NoSmsBackend")


def test_a_text_without_a_recipient_is_the_same_row_and_not_sent() -> None:
    with_recipient, without_recipient = post_code(), post_code(channel=NOWHERE)

    assert len(without_recipient.secret) == len(with_recipient.secret)
    assert len(delivered_texts()) == 1
    assert OutboxMessage.objects.filter(outcome="delivered").count() == 2


def test_the_console_prints_the_text_and_logs_nothing(
    settings: Any, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": "auth_core.messages.sms.ConsoleBackend"}
    post_code()

    with caplog.at_level(logging.DEBUG):
        outbox.deliver_due()

    assert f"SMS to {NUMBER}:\n{CODE} is your code" in capsys.readouterr().out
    assert caplog.text == ""


def test_an_unknown_language_falls_back_to_that_of_the_site() -> None:
    with translation.override("en"):
        post_code(values={"language": "xx"})

    assert "is your code" in the_text().body


@pytest.mark.parametrize("path", ["nowhere.Backend", "auth_core.messages.sms.Text", "nonsense"])
def test_an_invalid_backend_is_a_check_error(path: str, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": path}

    with pytest.raises(SystemCheckError, match=r"auth_core\.E008"):
        call_command("check")


@pytest.mark.parametrize("path", ["", BACKEND, "auth_core.messages.sms.ConsoleBackend"])
def test_a_valid_or_missing_backend_passes_the_checks(path: str, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": path}

    call_command("check")


@pytest.mark.parametrize(("backend", "is_refused"), [("console", True), ("memory", True), ("auth_core.messages.sms.ConsoleBackend", True), ("", False)])  # fmt: skip
def test_a_backend_that_prints_codes_is_refused_in_production(backend: str, is_refused: bool, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SMS_BACKEND": backend}

    errors = {message.id for message in run_checks(include_deployment_checks=True)}

    assert ("auth_core.E012" in errors) == is_refused
