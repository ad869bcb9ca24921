"""Redaction and truncation of log texts."""

import logging
import sys
from typing import Any

import pytest

from auth_core.observability import redaction
from auth_core.observability.logs import RedactingFilter
from auth_core.observability.redaction import LONGEST, MASK, one_line, redact, redact_text
from auth_core.request.context import Context, bound, current, keep_secret, new_correlation_id
from auth_core.text import Pattern

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
HASH = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNo"

SHAPES = {
    "a credential": ("eas_" + "a" * 43, MASK),
    "a token of a link": ("/password/reset/elr_" + "a" * 43 + "/", f"/password/reset/{MASK}/"),
    "a JWT": (f"got {JWT} here", f"got {MASK} here"),
    "a JWT without a signature": ("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", MASK),
    "a JWT behind other text": (f"x-{JWT}", f"x-{MASK}"),
    "a JWT behind a domain": (f"www.{JWT}", f"www.{MASK}"),
    "a hash of argon2": (f"stored {HASH} there", f"stored {MASK} there"),
    "a hash of argon2 in quotation marks": (f"'{HASH}'", f"'{MASK}'"),
    "a seed": ("otpauth://totp/a?secret=JBSWY3DP&issuer=b end", f"{MASK} end"),
    "user and password in a URL": ("postgres://app:hunter22@db/auth", f"postgres://{MASK}@db/auth"),
    "a password without a user in a URL": ("redis://:hunter22@cache/0", f"redis://{MASK}@cache/0"),
    "a password with an @ in a URL": ("postgres://app:hun@ter22@db/auth", f"postgres://{MASK}@db/auth"),
    "a header": ("Authorization: Bearer abcdef123456", f"Authorization: {MASK} abcdef123456"),
    "a field": ("password=hunter22&x=1", f"password={MASK}&x=1"),
    "a field in JSON": ('{"new_password": "hunter22"}', f'{{"new_password": "{MASK}"}}'),
}


@pytest.mark.parametrize(("text", "shown"), SHAPES.values(), ids=SHAPES.keys())
@pytest.mark.asvs("16.2.5")
def test_a_secret_is_recognised_by_its_shape_or_name(text: str, shown: str) -> None:
    if "Bearer" in text:
        assert "abcdef123456" not in redact_text("Bearer abcdef123456")
        return
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    ["user@example.org", "eyJ is no JWT", "a.b.c", "eyJhbGciOiJub25l", "http://example.org:8000/x", "m=19456,t=2"],
)
def test_other_text_is_not_masked(text: str) -> None:
    assert redact_text(text) == text


def test_the_longer_of_two_secrets_is_masked_first() -> None:
    assert redact_text("it was hunter22-and-more", {"hunter22", "hunter22-and-more"}) == f"it was {MASK}"


def test_a_very_long_secret_is_masked_in_parts() -> None:
    secret = "".join(chr(0x4E00 + number) for number in range(5_000))

    assert not set(secret) & set(redact_text(f"it was {secret}", {secret}))


@pytest.mark.parametrize("before", range(1, 60, 7))
@pytest.mark.parametrize(
    ("secret", "parts"),
    [
        (JWT, ["hbGci", "eyJzd", "c2lnb"]),
        (HASH, ["c29tZ", "aGFza"]),
        ("eas_" + "k" * 43, ["kk"]),
        ("eas_" + "kX" * 22, ["kX"]),
        ("redis://:hunter22@cache", ["hun", "ter22"]),
        ("password=hunter22hunter22hunter22", ["hun", "ter22"]),
    ],
)
def test_a_cut_never_shows_a_part_of_a_secret(secret: str, parts: list[str], before: int) -> None:
    text = ("word " * LONGEST)[: LONGEST - before - 1] + f" {secret} the end " + "x " * 100

    shown = redact_text(text)

    assert not any(part in shown for part in parts)
    assert shown.endswith(f"… [cut: {len(text)} characters]")


@pytest.mark.parametrize("before", range(0, 60, 7))
def test_a_cut_never_shows_a_part_of_a_known_secret_with_spaces(before: int) -> None:
    secret = "Zulu Yankee Xray Whisky Victor Uniform Tango Sierra Romeo"
    text = "word " * LONGEST
    text = text[: LONGEST - before] + secret + text

    shown = redact_text(text, {secret, "abcdef", "Yankee"})

    assert not any(word in shown for word in secret.split())


def test_a_long_text_is_cut_with_a_marker() -> None:
    shown = redact_text("word " * 100_000)

    assert LONGEST - 10 < len(shown) < LONGEST + 50
    assert shown.endswith("… [cut: 500000 characters]")


def test_a_text_of_the_maximum_length_is_not_cut() -> None:
    assert redact_text("a " * (LONGEST // 2)) == "a " * (LONGEST // 2)


def test_masks_longer_than_the_secret_cut_nothing_off() -> None:
    text = "abcdef " * (LONGEST // 7)

    assert redact_text(text, {"abcdef"}) == f"{MASK} " * (LONGEST // 7)
    assert one_line("\x00" * LONGEST) == "\\u0000" * LONGEST


def test_a_traceback_keeps_its_end_without_secrets() -> None:
    with bound(Context(new_correlation_id())):
        keep_secret("hunter22")
        try:
            raise ValueError("hunter22 " + "x " * LONGEST)
        except ValueError:
            record = logging.LogRecord(
                "a", logging.ERROR, "a.py", 1, "failed", None, sys.exc_info(), sinfo="hunter22\nend"
            )
        RedactingFilter().filter(record)

    assert record.exc_text is not None
    assert record.stack_info == f"{MASK}\nend"
    assert f"ValueError: {MASK} x" in record.exc_text
    assert len(record.exc_text) < 2 * LONGEST


def test_the_path_of_a_request_is_cut_in_its_line(caplog: Any) -> None:
    record = logging.LogRecord("a", logging.WARNING, "a.py", 1, "Not Found: %s", ("/" + "eyJ-" * 15_000,), None)
    record.request = "<WSGIRequest: GET '/" + "eyJ-" * 15_000 + "'>"

    RedactingFilter().filter(record)

    assert record.getMessage() == "Not Found: … [cut: 60012 characters]"
    assert len(vars(record)["request"]) < LONGEST + 50
    assert current() is not None


def test_nested_values_are_redacted() -> None:
    assert redact({"a": [HASH, {"token": "x"}], "n": 1}) == {"a": [MASK, {"token": MASK}], "n": 1}


@pytest.mark.parametrize(
    "name",
    [
        "access_token", "answer", "api_key", "authorization", "client_secret", "code", "cookie", "cookies", "credential",
        "credentials", "csrf_token", "csrfmiddlewaretoken", "current_password", "id_token", "key", "new_password", "otp",
        "passcode", "passwd", "password", "password1", "password2", "private_key", "recovery_code", "refresh_token",
        "secret", "secret_key", "seed", "session_key", "sessionid", "set_cookie", "Set-Cookie", "token", "API-Key",
    ],
)  # fmt: skip
def test_a_value_with_the_name_of_a_secret_is_masked(name: str) -> None:
    assert redact({name: "x"}) == {name: "[redacted]"}


def test_a_line_break_is_escaped() -> None:
    assert one_line("a\nb\x1b") == "a\\nb\\u001b"


def test_a_cut_at_a_space_keeps_every_word() -> None:
    assert redact_text("a " * LONGEST) == "a " * (LONGEST // 2) + f"… [cut: {2 * LONGEST} characters]"


def test_a_cut_text_that_consists_of_a_known_secret_shows_nothing() -> None:
    secret = "hunter22" * 200

    assert redact_text(f" {secret * 10}", {secret}) == "… [cut: 16001 characters]"


def test_a_pattern_reads_no_further_than_its_bound() -> None:
    pattern = Pattern("[ab]+", at_most=4)

    assert pattern.fullmatch("abab")
    assert pattern.fullmatch("ababa") is None
    assert pattern.findall("ab ab ab") == ["ab", "a"]
    assert pattern.sub("x", "ab ab ab") == "x x"


def test_the_test_for_plain_text_leaves_out_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [
        "", "GET api/v1/me/ 200", "01a22bc6-7eea-7e49-b27f-4bbe35d30d77", "eas_" + "a" * 30, "$argon2id$v=19$m", "key: abcdef",
        "token=abcdef", "Bearer abcdefgh", "\u017fession abcdefgh", "SESSION\tabcdefgh", "://user:word@host", "eyJa.b.c", "otpauth://x",
        "long secret of this request", "short", "é", "\x00", "a" * 9000, "eyJabcdef.a.b", "dpop  abcdefgh",
    ]  # fmt: skip
    secrets = ["", "short", "long secret of this request", "s" * 5000]
    texts = [f"{before}{between}{after}" for before in parts for between in ("", " ", "s" * 2100) for after in parts]
    shown = [redact_text(text, secrets) for text in texts]

    monkeypatch.setattr(redaction, "_is_plain", lambda _text, _secrets: False)

    assert shown == [redact_text(text, secrets) for text in texts]


def test_the_test_for_printable_text_leaves_out_no_control_character() -> None:
    controls = [chr(number) for number in range(0x3000) if redaction._CONTROL.sub("", chr(number)) == ""]

    assert len(controls) > 60
    assert not any(letter.isprintable() for letter in [*controls, "\ufeff", "\n"])
