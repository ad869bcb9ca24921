"""The protection against SMS pumping."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from auth_core.conf import core
from auth_core.errors import TooManyAttempts
from auth_core.request.client import Client
from auth_core.testing.browsers import answer, log_in, new_browser
from auth_core.testing.clock import Clock
from auth_core.testing.texts import code_in_text, the_text
from auth_mfa.errors import NumberRefused
from auth_mfa.events import MfaEvent
from auth_mfa.messages import sms_guard
from auth_mfa.messages.phone_numbers import parse_number
from auth_mfa.models import SmsPrefix
from auth_mfa.testing.factors import add_phone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("captured_texts")]

_HOUR = timedelta(hours=1)


def number(last: int) -> str:
    return f"+4179{last:07}"


def admit(last: int = 1, *, text: str = "", network: str = "198.51.100.0/24") -> str:
    """Request one text as a login does, which always commits. Return the error code or an empty string."""
    with transaction.atomic():
        try:
            sms_guard.admit(number=text or number(last), client=Client(network=network))
        except (TooManyAttempts, NumberRefused) as refused:
            return refused.code
    return ""


@contextmanager
def budgets(settings: Any, **sms: int) -> Iterator[None]:
    limits = {"number": 1000, "prefix": 1000, "network": 1000, "everybody": 1000} | sms
    settings.AUTH_CORE = {
        **settings.AUTH_CORE,
        "BUDGETS": {"sms": {name: (most, _HOUR) for name, most in limits.items()}},
    }
    yield


@pytest.mark.asvs("2.4.1")
@pytest.mark.parametrize("what", ["number", "prefix", "network", "everybody"])
def test_each_budget_refuses_further_texts(what: str, settings: Any, clock: Clock) -> None:
    others: dict[str, dict[str, Any]] = {
        "number": {"last": 2},
        "prefix": {"text": "+436641234567"},
        "network": {"network": "203.0.113.0/24"},
        "everybody": {},
    }
    with budgets(settings, **{what: 3}):
        codes = [admit() for _text in range(4)]
        if what == "everybody":
            clock.forward(minutes=61)

        assert codes == ["", "", "", "too_many_attempts"]
        assert admit(**others[what]) == ""


@pytest.mark.asvs("2.4.1")
def test_the_site_budget_counts_all_numbers_prefixes_and_networks(settings: Any) -> None:
    texts = ["+41791234567", "+41781234567", "+4915123456789", "+436641234567"]
    with budgets(settings, everybody=3):
        codes = [admit(text=text, network=f"198.51.{part}.0/24") for part, text in enumerate(texts)]

    assert codes == ["", "", "", "too_many_attempts"]


def test_the_default_limits_all_texts_of_the_site() -> None:
    most, window = core.BUDGETS["sms"]["everybody"]

    assert (most, window) == (5000, timedelta(days=1))


def test_numbers_of_one_range_share_a_prefix() -> None:
    assert parse_number(number(1234567)).prefix == "+41791"
    assert parse_number("+1 212 555 0123").prefix == "+1212"


def test_unused_texts_open_the_breaker_of_their_prefix(settings: Any, recorded_events: list[Any], clock: Clock) -> None:
    settings.AUTH_MFA = {"SMS_BREAKER": (10, 0.2, _HOUR)}
    with budgets(settings):
        for last in range(10):
            admit(1_000_000 + last)
        assert admit(1_000_011) == "number_refused"

        event = next(event for event in recorded_events if event.name is MfaEvent.SMS_PREFIX_CLOSED)
        assert event.data == {"prefix": "+41791", "sent": 10, "used": 0}
        assert admit(1_000_012) == "number_refused"
        assert admit(2_000_000) == ""

        clock.forward(minutes=61)
        assert admit(1_000_013) == ""


def test_used_texts_keep_the_breaker_closed(settings: Any) -> None:
    settings.AUTH_MFA = {"SMS_BREAKER": (10, 0.2, _HOUR)}
    with budgets(settings):
        for last in range(30):
            assert admit(1_000_000 + last) == ""
            if not last % 4:
                sms_guard.note_used(number=number(1_000_000 + last))

    assert SmsPrefix.objects.get().used == 8


def test_texts_of_the_previous_day_do_not_count(settings: Any, clock: Clock) -> None:
    settings.AUTH_MFA = {"SMS_BREAKER": (10, 0.2, _HOUR)}
    with budgets(settings):
        for last in range(10):
            admit(1_000_000 + last)
        clock.forward(hours=25)
        admit(1_000_011)

    assert SmsPrefix.objects.get().sent == 1


def test_a_proved_code_counts_as_used(alice: User) -> None:
    add_phone(alice)
    browser = new_browser()
    challenged = log_in(browser)

    assert answer(browser, challenged, code=code_in_text(the_text())).status_code == 200
    row = SmsPrefix.objects.get()
    assert (row.sent, row.used) == (1, 1)


def test_an_open_breaker_withholds_the_text_and_offers_other_factors(alice: User, settings: Any) -> None:
    settings.AUTH_MFA = {"SMS_BREAKER": (0, 1.1, _HOUR)}
    add_phone(alice)
    SmsPrefix.objects.create(prefix="+41791", sent=5)

    challenged = log_in(new_browser())

    assert (challenged.status_code, challenged.json()["challenge"]["data"]["is_sent"]) == (202, False)
