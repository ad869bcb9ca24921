"""No seed, code or number of a second factor appears in a log, an entry or a plain column."""

import io
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection

from auth_audit.testing.trail import readable
from auth_core.messages import outbox
from auth_core.testing.browsers import answer, log_in, new_browser, post, with_csrf
from auth_core.testing.mails import code_in, delivered
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_core.testing.texts import code_in_text, delivered_texts
from auth_mfa import oath
from auth_mfa.models import PhoneFactor, TotpFactor
from auth_mfa.testing.factors import NUMBER, current_code
from enterprise_auth.core.logging import logging_config

pytestmark = [
    pytest.mark.django_db(transaction=bool(redis_url())),
    pytest.mark.usefixtures("captured_texts"),
    pytest.mark.asvs("16.2.5"),
]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The output of production logging at level DEBUG."""
    stream = io.StringIO()
    logging.config.dictConfig(logging_config(level="DEBUG", style="json"))
    (handler,) = logging.getLogger().handlers[:1]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    logging.config.dictConfig(django_settings.LOGGING)


def everything_stored() -> str:
    """Return all rows of all tables in the database, including outbox, trail and sessions.

    The personal values of the trail are encrypted in its table, and follow as they are read.
    """
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        rows = []
        for table in tables:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows += [str(row) for row in cursor.fetchall()]
    return "\n".join([*rows, *(str(entry) for entry in readable())])


def secrets_in(secrets: list[str], text: str) -> list[str]:
    """Return the *secrets* that *text* contains as whole words. Six digits inside a digest are not a code."""
    return [secret for secret in secrets if re.search(rf"(?<![\w.]){re.escape(secret)}(?!\w)", text)]


def use_everything(alice: Any) -> tuple[list[str], str]:
    """Add and use every kind once. Return the secrets, and the database content while messages waited."""
    browser = new_browser()
    log_in(browser)
    enrolment = post(with_csrf(browser), "mfa/totp", name="App").json()
    key = oath.from_base32(enrolment["secret"])
    code = current_code(key, steps=-1)
    post(browser, f"mfa/totp/{enrolment['id']}/confirm", code=code)
    secrets = [enrolment["secret"], key.hex(), code]

    browser = sign_in(alice, assurance="aal2")
    phone = post(browser, "mfa/sms", number=NUMBER).json()
    stored = everything_stored()
    secrets += [NUMBER, NUMBER[1:], code := code_in_text(delivered_texts()[0])]
    post(browser, f"mfa/sms/{phone['id']}/confirm", code=code)
    mailbox = post(browser, "mfa/email").json()
    stored += everything_stored()
    secrets += [code := code_in(next(mail for mail in delivered() if "is your code" in mail.subject))]
    post(browser, f"mfa/email/{mailbox['id']}/confirm", code=code)
    codes = post(browser, "mfa/recovery-codes").json()["codes"]
    secrets += [*codes, *(code.replace("-", "") for code in codes)]

    for kind, next_code in (("totp", lambda: current_code(key)), ("recovery_code", lambda: codes[0])):
        secrets += [next_code()]
        browser = new_browser()
        challenged = log_in(browser).json()
        choice = next(way["id"] for way in challenged["choices"] if way["method"] == kind)
        chosen = post(browser, "login/challenge", token=challenged["token"], choice=choice)
        assert answer(browser, chosen, code=next_code()).status_code == 200
        assert answer(browser, chosen, code="000000").status_code == 401
    outbox.deliver_due()
    return secrets, stored + everything_stored()


def test_secrets_of_factors_are_stored_nowhere(alice: Any, lines: io.StringIO) -> None:
    secrets, stored = use_everything(alice)

    assert TotpFactor.objects.get().confirmed
    assert PhoneFactor.objects.get().confirmed
    assert "mfa.factor.used" in stored
    assert "auth_core.request" in lines.getvalue()
    assert secrets_in(secrets, stored) == []
    assert secrets_in(secrets, lines.getvalue()) == []


def test_a_plain_number_and_a_logged_seed_are_detected(alice: Any, lines: io.StringIO) -> None:
    secrets, _stored = use_everything(alice)
    PhoneFactor.objects.update(name=NUMBER)
    logging.getLogger("auth_mfa").warning("enrolled %s", secrets[0])

    assert secrets_in(secrets, everything_stored()) == [NUMBER, NUMBER[1:]]
    assert secrets_in(secrets, lines.getvalue()) == [secrets[0]], "the planted defect must be detected"
