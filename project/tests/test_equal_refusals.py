"""A refusal does the same work for every reason: the same hashes and the same statements (ASVS 6.3.8).

`./dev timing` measures the same with a clock. The counts here have no noise.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from argon2 import low_level
from django.contrib.auth import get_user_model
from django.test import Client as Browser
from django.utils import timezone

from auth_core.flows.account_creation import create_account
from auth_core.models import Identity
from auth_core.testing.browsers import log_in, post, with_csrf
from auth_core.testing.counts import counted
from auth_core.testing.factories import PASSWORD
from auth_core.testing.settings import redis_url

pytestmark = [pytest.mark.django_db(transaction=bool(redis_url())), pytest.mark.asvs("6.3.8")]

WRONG = "not the password at all"
CASES = ("wrong", "unknown", "disabled", "locked", "without a password", "unproven")


@dataclass
class Work:
    """The work of one refusal: its hashes, and its statements as verb and table."""

    status: int
    body: Any
    headers: list[str]
    hashes: int
    statements: list[str] = field(default_factory=list)


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Memory costs of the computed argon2 hashes, in KiB."""
    costs: list[int] = []
    hash_secret, verify_secret = low_level.hash_secret, low_level.verify_secret

    def counted_hash(*args: Any, **kwargs: Any) -> Any:
        costs.append(kwargs.get("memory_cost", 0))
        return hash_secret(*args, **kwargs)

    def counted_verify(encoded: bytes, *args: Any, **kwargs: Any) -> Any:
        costs.append(int(re.search(rb"m=(\d+)", encoded)[1]))  # type: ignore[index]  # every argon2 hash contains it
        return verify_secret(encoded, *args, **kwargs)

    monkeypatch.setattr(low_level, "hash_secret", counted_hash)
    monkeypatch.setattr("argon2._password_hasher.verify_secret", counted_verify)
    return costs


@pytest.fixture
def people() -> None:
    """One account per reason to refuse a login."""
    for case in CASES:
        if case != "unknown":
            user = create_account(email=address_of(case), password=PASSWORD, verified=case != "unproven")
            Identity.objects.filter(user=user).update(locked_at=timezone.now() if case == "locked" else None)
            if case == "disabled":
                get_user_model().objects.filter(pk=user.pk).update(is_active=False)
            if case == "without a password":
                user.set_unusable_password()
                user.save()


def address_of(case: str) -> str:
    return f"{case.replace(' ', '-')}@example.org"


def password_for(case: str) -> str:
    """Return the right password if the state of the account is the reason for the refusal."""
    return PASSWORD if case in ("disabled", "locked") else WRONG


def work_of(ask: Callable[[], Any], hashes: list[int]) -> Work:
    hashes.clear()
    with counted() as counts:
        answer = ask()
    statements = [shape(sql) for sql in [*counts.statements, *counts.entries]]
    body = re.sub(rb'"request_id":\s*"[^"]*"', b"", answer.content)
    return Work(answer.status_code, body, sorted(answer.headers), len(hashes), statements)


def shape(sql: str) -> str:
    """Return the verb and the tables of a statement."""
    tables = re.findall(r'(?:FROM|INTO|UPDATE|JOIN)\s+"?([a-z_]+)"?', sql)
    return f"{sql.split(maxsplit=1)[0]} {' '.join(tables)}"


def test_a_login_is_refused_with_the_same_work_for_every_reason(people: None, hashes: list[int]) -> None:
    def ask(case: str) -> Work:
        login = {"identifier": address_of(case), "password": password_for(case), "transport": "token"}
        browser = Browser()
        return work_of(lambda: log_in(browser, **login), hashes)

    ask("wrong")  # loads what a process loads once
    works = {case: ask(case) for case in CASES}

    assert works["wrong"].status == 401
    assert works["wrong"].hashes == 1
    for case in CASES:
        assert works[case] == works["wrong"], case


@pytest.mark.parametrize("path", ["password/forgot", "email/resend"])
def test_a_mail_request_does_the_same_work_for_every_account(path: str, people: None, hashes: list[int]) -> None:
    def ask(case: str) -> Work:
        browser = with_csrf(Browser())
        return work_of(lambda: post(browser, path, email=address_of(case)), hashes)

    ask("wrong")
    works = {case: ask(case) for case in CASES}

    for case in CASES:
        work, wrong = works[case], works["wrong"]
        assert (work.status, work.body, work.headers, work.hashes) == (202, wrong.body, wrong.headers, 0), case
        assert abs(len(work.statements) - len(wrong.statements)) <= 1, (case, work.statements, wrong.statements)


def test_a_sign_up_with_a_known_address_does_the_same_work(people: None, hashes: list[int]) -> None:
    def ask(email: str) -> Work:
        browser = with_csrf(Browser())
        return work_of(lambda: post(browser, "signup", email=email, password="an unusual phrase 4711"), hashes)

    ask("first@example.org")
    unknown = ask("second@example.org")
    existing = ask(address_of("wrong"))

    assert unknown.hashes == 1
    assert existing == unknown


def test_a_missing_hash_is_detected(people: None, hashes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth_core.passwords.hashing.hash_and_discard", lambda password: None)
    login = {"identifier": address_of("unknown"), "password": WRONG, "transport": "token"}

    work = work_of(lambda: log_in(Browser(), **login), hashes)

    assert work.status == 401
    assert work.hashes == 0
