"""Encrypted values. Changed, moved or foreign ciphertexts do not decrypt."""

import base64
import secrets
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth_core.crypto.encryption import (
    DecryptionFailed,
    KeysMissing,
    decrypt,
    decrypt_under,
    encrypt,
    encrypt_under,
    key_problems,
    needs_rotation,
    new_data_key,
)

KEY = "dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktMzI"
OTHER = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")


@pytest.mark.asvs("11.3.2")
def test_a_ciphertext_decrypts() -> None:
    assert decrypt("p", encrypt("p", b"seed", context="row 1"), context="row 1") == b"seed"


@pytest.mark.parametrize(("purpose", "context"), [("q", "row 1"), ("p", "row 2"), ("p", "")])
def test_a_moved_ciphertext_does_not_decrypt(purpose: str, context: str) -> None:
    sealed = encrypt("p", b"seed", context="row 1")

    with pytest.raises(DecryptionFailed):
        decrypt(purpose, sealed, context=context)


@pytest.mark.asvs("11.3.3")
@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_ciphertext_does_not_decrypt(data: st.DataObject) -> None:
    sealed = encrypt("p", b"a seed of some length")
    place = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(st.characters(codec="ascii").filter(lambda letter: letter != sealed[place]))

    with pytest.raises(DecryptionFailed):
        decrypt("p", sealed[:place] + letter + sealed[place + 1 :])


@given(st.text())
@pytest.mark.asvs("11.2.5")
def test_a_foreign_ciphertext_does_not_decrypt(text: str) -> None:
    with pytest.raises(DecryptionFailed):
        decrypt("p", text)


@pytest.mark.asvs("11.3.4")
def test_a_nonce_is_never_reused() -> None:
    made = {encrypt("p", b"")[: len("v1.test.") + 16] for _number in range(100_000)}

    assert len(made) == 100_000


def test_a_nonce_has_the_96_bits_of_the_standard() -> None:
    """A tag has 16 bytes (NIST SP 800-38D section 8.2)."""
    body = encrypt("p", b"seed").rpartition(".")[2]

    assert len(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))) == 12 + len(b"seed") + 16


def test_a_value_without_a_context_is_that_of_an_empty_context() -> None:
    key = new_data_key()

    assert decrypt_under(key, "p", encrypt_under(key, "k", "p", b"seed"), context="") == b"seed"
    assert decrypt_under(key, "p", encrypt_under(key, "k", "p", b"seed", context="")) == b"seed"


@pytest.mark.parametrize("last", ["X", "A", "_", "-"])
def test_a_ciphertext_may_end_with_any_letter(last: str) -> None:
    sealed = next(text for text in (encrypt("p", b"three") for _try in range(10_000)) if text.endswith(last))

    assert decrypt("p", sealed) == b"three"


def test_a_former_key_still_decrypts_and_is_marked_stale(settings: Any) -> None:
    sealed = encrypt("p", b"seed")

    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {"new": OTHER, "test": KEY}}

    assert decrypt("p", sealed) == b"seed"
    assert needs_rotation(sealed)
    assert not needs_rotation(encrypt("p", b"seed"))


def test_a_removed_key_does_not_decrypt(settings: Any) -> None:
    sealed = encrypt("p", b"seed")
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {"new": OTHER}}

    with pytest.raises(DecryptionFailed):
        decrypt("p", sealed)


def test_a_missing_key_is_an_error(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {}}

    with pytest.raises(KeysMissing):
        encrypt("p", b"seed")


@pytest.mark.parametrize(
    "keys",
    [
        {}, {"a": "short"}, {"a b": KEY}, {"a": "!" * 43}, {"a": KEY + "AAAA"}, {"a": KEY.encode()}, {"a": None}, {1: KEY},
        KEY, [KEY], None,
    ],
)  # fmt: skip
def test_key_problems_do_not_show_the_keys(keys: Any, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": keys}

    assert len(key_problems()) == 1
    assert not any(secret in problem for problem in key_problems() for secret in (KEY, "short", "!" * 43))
