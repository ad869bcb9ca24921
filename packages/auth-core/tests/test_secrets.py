"""One-time secrets and checks of settings."""

import base64
import os
from typing import Any

import pytest
from django.core.checks import run_checks

from auth_core.checks import check_keys_are_random
from auth_core.conf import core
from auth_core.crypto import secrets


@pytest.mark.asvs("11.5.1")
def test_a_secret_has_256_bits_and_is_unique() -> None:
    made = {secrets.new_secret("eas") for _number in range(10_000)}

    assert len(made) == 10_000
    assert all(len(secret) == 47 and secret.startswith("eas_") for secret in made)


def test_a_code_has_its_digits() -> None:
    codes = {secrets.new_code(6) for _number in range(1000)}

    assert len(codes) > 900
    assert all(len(code) == 6 and code.isdigit() for code in codes)
    assert len(secrets.new_code()) == 6


def test_the_digest_of_a_code_depends_on_the_code_its_context_and_the_key(settings: Any) -> None:
    first = secrets.code_digest("123456", context="row 1")

    assert len(first) == 64
    assert first == secrets.code_digest("123456", context="row 1")
    assert first != secrets.code_digest("123457", context="row 1")
    assert first != secrets.code_digest("123456", context="row 2")
    settings.SECRET_KEY = "another" * 10
    assert first != secrets.code_digest("123456", context="row 1")


@pytest.mark.parametrize(("wrong", "check"), [({"LOGIN_STEP": []}, "E001"), ({"GRANT_ISSUER": "no.such.Thing"}, "E002"), ({"BUDGETS": {"login": {}}}, "E003"), ({"FIELD_KEYS": {}}, "E004"), ({"TRUSTED_PROXIES": ["10.0.0.1/8"]}, "E005"), ({"OUTBOUND_ALLOWED_NETWORKS": ["intranet"]}, "E005")])  # fmt: skip
@pytest.mark.django_db
def test_a_wrong_setting_is_a_check_error(wrong: dict[str, Any], check: str, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, **wrong}

    assert f"auth_core.{check}" in {message.id for message in run_checks()}


@pytest.mark.parametrize(
    ("key", "weakness"),
    [
        (bytes(32), "repetitive"),
        (bytes(range(32)), "a sequence"),
        (b"Correct horse battery staple, 42", "text, not random bytes"),
        (b"another-secret" * 3, "another secret of this site"),
    ],
)
def test_a_weak_key_is_a_check_error(key: bytes, weakness: str, settings: Any) -> None:
    settings.SECRET_KEY = "another-secret" * 5
    encoded = base64.urlsafe_b64encode(key[:32]).decode().rstrip("=")
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {"old": encoded}}

    (problem,) = check_keys_are_random()

    assert (problem.id, problem.msg) == ("auth_core.E029", f"AUTH_CORE['FIELD_KEYS']: key 'old' is {weakness}.")
    assert "secrets.token_bytes(32)" in str(problem.hint)
    assert encoded not in problem.msg


def test_random_keys_pass_the_check(settings: Any) -> None:
    keys = {str(number): base64.urlsafe_b64encode(os.urandom(32)).decode() for number in range(1_000)}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": keys}

    assert check_keys_are_random() == []


def test_every_setting_has_a_docstring() -> None:
    assert all(str(option.__doc__).endswith(".") for option in core.options.values())
