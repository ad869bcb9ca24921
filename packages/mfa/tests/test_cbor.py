"""The nesting of CBOR is limited to what CTAP allows."""

from typing import Any

import pytest

from auth_mfa.webauthn import cbor


@pytest.mark.parametrize("start", [b"\x81", b"\xa1\x00", b"\x82\x00"], ids=["arrays", "maps", "pairs"])
def test_the_fifth_level_of_nesting_is_refused(start: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[int] = []
    read = cbor._head

    def count(data: bytes, at: int) -> Any:
        looked_at.append(at)
        return read(data, at)

    monkeypatch.setattr(cbor, "_head", count)

    with pytest.raises(cbor.NotPlain, match="deep"):
        cbor.check_item(start * 50_000 + b"\x00")

    assert len(looked_at) <= 2 * (cbor.MAX_DEPTH + 1)


def test_four_levels_of_nesting_are_accepted() -> None:
    cbor.check_item(b"\x81" * cbor.MAX_DEPTH + b"\x00")
