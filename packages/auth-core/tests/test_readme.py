"""The example test in the README passes, and fails without an event."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.testing.clock import Clock
from auth_core.testing.gaps import AuditGap

README = Path(__file__).parents[1] / "README.md"


def the_example() -> Callable[..., None]:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(next(block for block in blocks if "def test_" in block), names)
    example: Callable[..., None] = names["test_a_new_password_is_recorded_and_mailed"]
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
