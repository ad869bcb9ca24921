"""What a token says, for tests that are not about its signature."""

import base64
import json
from typing import Any


def part_of(token: str, number: int) -> dict[str, Any]:
    """Return a part of a compact token: 0 is its header, 1 its claims."""
    text = token.split(".")[number]
    part: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return part


def claims_in(token: str) -> dict[str, Any]:
    """Return the claims of a token."""
    return part_of(token, 1)
