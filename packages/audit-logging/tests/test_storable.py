"""What is stored comes back as it was, obeys nobody and has a bound."""

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
def test_json_is_the_same_after_it_was_written_and_read(value: dict[str, Any]) -> None:
    kept = column_values.json_object(value)

    written = json.dumps(kept, allow_nan=False)
    assert written.isprintable()
    assert "\\u0000" not in written.replace("\\\\", "")
    assert json.loads(written) == kept == column_values.json_object(kept)


@pytest.mark.parametrize(
    ("value", "kept"),
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
        (Enum("Colour", "RED").RED, "Colour.RED"),  # type: ignore[attr-defined]  # made on the spot
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ((1, 2), [1, 2]),
        ("\ud800", "\\ud800"),
        ("a\nb", "a\\u000ab"),
    ],
)
def test_a_value_has_one_form(value: object, kept: object) -> None:
    found = column_values.json_object({"value": value})["value"]

    assert found == kept
    assert type(found) is type(kept)


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
def test_json_has_a_bound(huge: dict[str, Any]) -> None:
    assert len(json.dumps(column_values.json_object(huge))) <= column_values.LONGEST_JSON


def test_depth_has_a_bound() -> None:
    deep: Any = "bottom"
    for _level in range(10_000):
        deep = [deep]

    assert column_values.json_object({"deep": deep}) == {"deep": [[["…"]]]}


@pytest.mark.parametrize(
    ("written", "kept"),
    [("fe80::1%eth0", "fe80::1"), ("::0001", "::1"), ("192.0.2.1", "192.0.2.1"), ("", None), ("unknown", None)],
)
def test_an_address_has_one_form(written: str, kept: str | None) -> None:
    assert column_values.address(written) == kept
