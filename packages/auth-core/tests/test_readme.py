"""The example tests in the README pass, and the first fails without an event."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import include, path

from auth_core.testing.clock import Clock
from auth_core.testing.gaps import AuditGap

README = Path(__file__).parents[1] / "README.md"


def the_example(name: str = "test_a_new_password_is_recorded_and_mailed") -> Callable[..., None]:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(next(block for block in blocks if f"def {name}(" in block), names)
    example: Callable[..., None] = names[name]
    return example


@pytest.mark.django_db(transaction=True)
def test_the_example_test_passes(alice: Any, signed_in: Callable[..., Browser], clock: Clock) -> None:
    the_example()(alice=alice, signed_in=signed_in, clock=clock)


@pytest.mark.django_db(transaction=True)
def test_the_example_test_fails_without_an_event(
    alice: Any, signed_in: Callable[..., Browser], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth_core.flows.password_change.record", lambda _event: None)

    with pytest.raises(AuditGap, match="auth_accounts_user"):
        the_example()(alice=alice, signed_in=signed_in, clock=clock)


@pytest.mark.django_db
@pytest.mark.parametrize("has_api", [True, False])
def test_the_example_of_the_pages_passes_without_the_api(
    has_api: bool, alice: Any, signed_in: Callable[..., Browser], settings: Any
) -> None:
    if not has_api:
        settings.ROOT_URLCONF = (path("", include("auth_core.pages.urls")),)

    the_example("test_a_new_password_is_chosen_on_a_page")(alice=alice, signed_in=signed_in)
