"""One-time secrets, and settings that are checked."""

from typing import Any

import pytest
from django.core.checks import run_checks

from auth_core import one_time
from auth_core.conf import core


@pytest.mark.asvs("11.5.1")
def test_a_secret_has_256_bits_and_comes_once() -> None:
    made = {one_time.new_secret("eas") for _number in range(10_000)}

    assert len(made) == 10_000
    assert all(len(secret) == 47 and secret.startswith("eas_") for secret in made)


def test_a_code_has_its_digits() -> None:
    codes = {one_time.new_code(6) for _number in range(1000)}

    assert len(codes) > 900
    assert all(len(code) == 6 and code.isdigit() for code in codes)


def test_the_digest_of_a_code_depends_on_its_place_and_our_key(settings: Any) -> None:
    first = one_time.code_digest("123456", context="row 1")

    assert first != one_time.code_digest("123456", context="row 2")
    settings.SECRET_KEY = "another" * 10
    assert first != one_time.code_digest("123456", context="row 1")


@pytest.mark.parametrize(("given", "check"), [({"LOGIN_STEP": []}, "E001"), ({"GRANT_ISSUER": "no.such.Thing"}, "E002"), ({"BUDGETS": {"login": {}}}, "E003"), ({"FIELD_KEYS": {}}, "E004"), ({"TRUSTED_PROXIES": ["10.0.0.1/8"]}, "E005"), ({"OUTBOUND_ALLOWED_NETWORKS": ["intranet"]}, "E005")])  # fmt: skip
@pytest.mark.django_db
def test_a_wrong_setting_has_a_check(given: dict[str, Any], check: str, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, **given}

    assert f"auth_core.{check}" in {message.id for message in run_checks()}


def test_every_setting_says_what_it_means() -> None:
    assert all(str(option.__doc__).endswith(".") for option in core.options.values())
