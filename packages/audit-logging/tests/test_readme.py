"""The README's own example works."""

import re
from pathlib import Path
from typing import Any

import pytest

from auth_audit.testing.trail import recorded
from auth_core.events import catalogue

README = Path(__file__).parents[1] / "README.md"


class Order:
    pk = 7
    is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


@pytest.mark.django_db
def test_an_event_of_a_site_is_kept(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "_entries", dict(catalogue.items()))
    example = next(
        block for block in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL) if "def " in block
    )
    names: dict[str, Any] = {}
    exec(example, names)

    names["cancel"](Order(), alice)

    entry = recorded("shop.order.cancelled")[0]
    assert entry.subject_id == alice.auth_identity.subject_id
    assert (entry.target_kind, entry.target_id, entry.severity) == ("order", "7", "notice")
