"""The algorithm against the vectors of its RFCs."""

import pytest

from auth_mfa import oath
from auth_mfa.totp.qr import svg_of

KEY = b"12345678901234567890"


@pytest.mark.parametrize(
    ("counter", "code"),
    list(
        enumerate(["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"])
    ),
)
def test_the_vectors_of_rfc_4226(counter: int, code: str) -> None:
    """Appendix D. A time step is the counter of HOTP."""
    assert oath.code_at(KEY, counter) == code


@pytest.mark.parametrize(
    ("moment", "eight_digits"),
    [
        (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
        (2000000000, "69279037"), (20000000000, "65353130"),
    ],
)  # fmt: skip
def test_the_vectors_of_rfc_6238(moment: int, eight_digits: str) -> None:
    assert oath.code_at(KEY, oath.step_at(moment)) == eight_digits[2:]


@pytest.mark.parametrize(
    ("drift", "tolerance", "is_valid"),
    [(0, 1, True), (-1, 1, True), (1, 1, True), (-2, 1, False), (2, 1, False), (-1, 0, False), (0, 0, True)],
)
def test_a_code_is_valid_within_the_tolerance(drift: int, tolerance: int, is_valid: bool) -> None:
    now = 1_700_000_000.0
    step = oath.step_at(now) + drift

    assert oath.matching_step(KEY, oath.code_at(KEY, step), at=now, tolerance=tolerance) == (step if is_valid else None)


def test_without_a_tolerance_of_the_caller_one_step_of_drift_is_allowed() -> None:
    now = 1_700_000_000.0
    step = oath.step_at(now)

    assert oath.matching_step(KEY, oath.code_at(KEY, step + 1), at=now) == step + 1
    assert oath.matching_step(KEY, oath.code_at(KEY, step + 2), at=now) is None
    assert oath.matching_step(KEY, oath.code_at(KEY, step - 2), at=now) is None


def test_the_first_step_of_all_is_valid() -> None:
    assert oath.matching_step(KEY, oath.code_at(KEY, 0), at=5) == 0
    assert oath.step_at(-1) == -1


@pytest.mark.asvs("6.5.1")
def test_a_spent_step_does_not_match() -> None:
    now = 1_700_000_000.0
    step, code = oath.step_at(now), oath.code_at(KEY, oath.step_at(now))

    assert oath.matching_step(KEY, code, at=now, after=step - 1) == step
    assert oath.matching_step(KEY, code, at=now, after=step) is None


def test_a_key_survives_base32_and_has_160_bits() -> None:
    keys = {oath.new_key() for _number in range(1000)}

    assert len(keys) == 1000
    assert all(len(key) == 20 and oath.from_base32(oath.to_base32(key)) == key for key in keys)


@pytest.mark.parametrize("length", [16, 20, 32])
def test_base32_without_padding_is_read_again(length: int) -> None:
    key = KEY[:1] * length

    text = oath.to_base32(key)

    assert "=" not in text
    assert oath.from_base32(text) == key


def test_a_qr_code_has_no_style_and_no_script() -> None:
    svg = svg_of("otpauth://totp/x?secret=y")

    assert svg.startswith("<svg")
    assert not any(word in svg for word in ("style", "script", "http-equiv", "onload"))
