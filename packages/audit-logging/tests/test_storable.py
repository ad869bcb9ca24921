"""Stored values are unchanged when read back, contain no control characters, and have a limited size."""

import json
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth_audit.append import column_values

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.uuids() | st.datetimes(),
    lambda members: st.lists(members) | st.dictionaries(st.text(st.characters()), members),
    max_leaves=20,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.text(st.characters()), ANYTHING))
def test_json_is_unchanged_after_writing_and_reading(value: dict[str, Any]) -> None:
    stored = column_values.json_object(value)

    text = json.dumps(stored, allow_nan=False)
    assert text.isprintable()
    assert "\\u0000" not in text.replace("\\\\", "")
    assert json.loads(text) == stored == column_values.json_object(stored)


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (1e15, 1_000_000_000_000_000),
        (1e16, "0x2386f26fc10000"),
        (2**53, "0x20000000000000"),
        (-0.0, 0),
        (0.5, 0.5),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (2**63, "0x8000000000000000"),
        (True, True),
        (Enum("Colour", "RED").RED, "Colour.RED"),  # type: ignore[attr-defined]  # created dynamically
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ((1, 2), [1, 2]),
        ("\ud800", "\\ud800"),
        ("a\nb", "a\\u000ab"),
    ],
)
def test_each_value_has_one_stored_form(value: object, stored: object) -> None:
    result = column_values.json_object({"value": value})["value"]

    assert result == stored
    assert type(result) is type(stored)


@pytest.mark.asvs("16.4.1")
@pytest.mark.parametrize(
    "huge",
    [
        {"text": "x" * 1_000_000},
        {str(number): number for number in range(100_000)},
        {"list": ["x" * 1_000] * 100_000},
        {"number": 10**10_000},
        {"wide": [[["x" * 1_000] * 100] * 100] * 100},
        {"x" * 1_000_000: 1},
    ],
    ids=lambda huge: next(iter(huge))[:8],
)
def test_the_size_of_json_is_limited(huge: dict[str, Any]) -> None:
    assert len(json.dumps(column_values.json_object(huge))) <= column_values.LONGEST_JSON


def test_the_depth_of_json_is_limited() -> None:
    deep: Any = "bottom"
    for _level in range(10_000):
        deep = [deep]

    assert column_values.json_object({"deep": deep}) == {"deep": [[["…"]]]}


@pytest.mark.parametrize(
    ("text", "stored"),
    [("fe80::1%eth0", "fe80::1"), ("::0001", "::1"), ("192.0.2.1", "192.0.2.1"), ("", None), ("unknown", None)],
)
def test_an_address_has_one_canonical_form(text: str, stored: str | None) -> None:
    assert column_values.address(text) == stored
