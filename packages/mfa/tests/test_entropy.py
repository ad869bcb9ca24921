"""Every code, seed and challenge comes from the system's generator."""

import ast
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

import auth_mfa
from auth_core.testing.browsers import answer, code_of, log_in, new_browser
from auth_mfa import oath
from auth_mfa.testing.factors import KEY, add_totp, current_code

SOURCES = sorted(Path(auth_mfa.__file__).parent.rglob("*.py"))

#: Modules with predictable generators.
_PREDICTABLE = frozenset({"random", "numpy", "uuid1"})


def predictable_imports(source: str) -> set[str]:
    """Return the predictable generators that a module imports."""
    tree = ast.parse(source)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    from_imports = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in (node.module or "", *(alias.name for alias in node.names))
    }
    return {name.partition(".")[0] for name in imported | from_imports} & _PREDICTABLE


@pytest.mark.asvs("6.5.3")
def test_no_module_uses_a_predictable_generator() -> None:
    assert len(SOURCES) > 40
    assert {
        str(path): names for path in SOURCES if (names := predictable_imports(path.read_text(encoding="utf-8")))
    } == {}


@pytest.mark.parametrize("planted", ["import random\n", "from random import choice\n", "from uuid import uuid1\n"])
def test_a_predictable_generator_is_detected(planted: str) -> None:
    assert predictable_imports(planted)


def test_all_keys_differ() -> None:
    assert len({oath.new_key() for _key in range(10_000)}) == 10_000


@pytest.mark.django_db
@pytest.mark.asvs("6.5.5")
@pytest.mark.parametrize("steps", [-1, 1])
def test_without_tolerance_only_the_current_code_is_accepted(steps: int, alice: User, settings: object) -> None:
    settings.AUTH_MFA = {"TOTP_TOLERANCE": 0}  # type: ignore[attr-defined]  # pytest-django's has any name
    add_totp(alice)
    with time_machine.travel(timezone.now(), tick=False):
        browser = new_browser()
        challenged = log_in(browser)

        assert code_of(answer(browser, challenged, code=current_code(steps=steps))) == "challenge_failed"
        assert answer(browser, challenged, code=current_code()).status_code == 200


@pytest.mark.django_db
@pytest.mark.asvs("6.5.8")
def test_the_caller_cannot_choose_the_time(alice: User) -> None:
    add_totp(alice)
    browser = new_browser()
    challenged = log_in(browser)
    long_ago = "Thu, 01 Jan 1970 00:00:59 GMT"

    refused = browser.post(
        "/api/v1/login/answer/",
        {"token": challenged.json()["token"], "answer": {"code": oath.code_at(KEY, 1)}},
        content_type="application/json",
        headers={"date": long_ago},
    )

    assert code_of(refused) == "challenge_failed"
