"""Every code, seed and challenge comes from the system's generator."""

import ast
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import User
from django.utils import timezone

import auth_mfa
from auth_mfa import oath
from conftest import KEY, answer, code_of, current_code, enrolled, log_in, new_browser

SOURCES = sorted(Path(auth_mfa.__file__).parent.rglob("*.py"))

#: Modules whose numbers somebody can foretell who has seen a few.
_FORETOLD = frozenset({"random", "numpy", "uuid1"})


def foretold(source: str) -> set[str]:
    """Return which generators a module imports that are no good for secrets."""
    tree = ast.parse(source)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    taken = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in (node.module or "", *(alias.name for alias in node.names))
    }
    return {name.partition(".")[0] for name in imported | taken} & _FORETOLD


@pytest.mark.asvs("6.5.3")
def test_no_module_of_ours_asks_a_generator_that_can_be_foretold() -> None:
    assert len(SOURCES) > 40
    assert {str(path): found for path in SOURCES if (found := foretold(path.read_text(encoding="utf-8")))} == {}


@pytest.mark.parametrize("planted", ["import random\n", "from random import choice\n", "from uuid import uuid1\n"])
def test_a_generator_that_can_be_foretold_is_seen(planted: str) -> None:
    assert foretold(planted)


def test_two_keys_are_never_the_same() -> None:
    assert len({oath.new_key() for _key in range(10_000)}) == 10_000


@pytest.mark.django_db
@pytest.mark.asvs("6.5.5")
@pytest.mark.parametrize("steps", [-1, 1])
def test_a_site_that_forgives_no_drift_takes_the_code_of_these_30_seconds_alone(
    steps: int, alice: User, settings: object
) -> None:
    settings.AUTH_MFA = {"TOTP_TOLERANCE": 0}  # type: ignore[attr-defined]  # pytest-django's has any name
    enrolled(alice)
    with time_machine.travel(timezone.now(), tick=False):
        browser = new_browser()
        asked = log_in(browser)

        assert code_of(answer(browser, asked, current_code(steps=steps))) == "challenge_failed"
        assert answer(browser, asked, current_code()).status_code == 200


@pytest.mark.django_db
@pytest.mark.asvs("6.5.8")
def test_what_time_it_is_the_caller_does_not_say(alice: User) -> None:
    enrolled(alice)
    browser = new_browser()
    asked = log_in(browser)
    long_ago = "Thu, 01 Jan 1970 00:00:59 GMT"

    refused = browser.post(
        "/api/v1/login/answer/",
        {"token": asked.json()["token"], "answer": {"code": oath.code_at(KEY, 1)}},
        content_type="application/json",
        headers={"date": long_ago},
    )

    assert code_of(refused) == "challenge_failed"
