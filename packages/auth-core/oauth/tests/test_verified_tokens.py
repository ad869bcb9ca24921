"""A process verifies the signature of a token once. Everything else about it is asked each time."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from auth_core.oauth.keys.algorithms import new_private_key, to_pem
from auth_core.oauth.testing.factories import Registered, make_tokens
from auth_core.oauth.tokens import signatures
from auth_core.oauth_resource.tokens.compact import CompactToken


@pytest.fixture(autouse=True)
def nothing_verified() -> None:
    signatures._VERIFIED.clear()


@pytest.fixture
def verifications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The verified tokens, one for each verification."""
    found: list[str] = []
    is_signed = CompactToken.is_signed

    def noted(token: CompactToken, *key: Any) -> bool:
        found.append(token.type)
        return is_signed(token, *key)

    monkeypatch.setattr(CompactToken, "is_signed", noted)
    return found


@pytest.fixture
def access(web: Registered, alice: Any) -> str:
    text: str = make_tokens(web, alice)["access_token"]
    return text


def read(text: str, type_: str = signatures.ACCESS) -> Any:
    return signatures.read(text, type_=type_)


def test_a_token_is_verified_once(access: str, verifications: list[str]) -> None:
    first, second = read(access), read(access)

    assert first == second
    assert first["client_id"]
    assert len(verifications) == 1


def test_no_reader_can_change_what_the_next_one_reads(access: str) -> None:
    read(access)["scope"] = "everything"

    assert read(access)["scope"] != "everything"


def test_a_forged_signature_is_never_remembered(access: str, verifications: list[str]) -> None:
    head, claims, signature = access.split(".")
    for _time in range(2):
        assert read(f"{head}.{claims}.{'A' * len(signature)}") is None

    assert len(verifications) == 2
    assert signatures._VERIFIED == {}


def test_a_remembered_token_expires(access: str) -> None:
    assert read(access) is not None

    with time_machine.travel(timezone.now() + timedelta(hours=1), tick=False):
        assert read(access) is None


def test_a_remembered_token_is_of_one_type(access: str) -> None:
    assert read(access) is not None

    assert read(access, signatures.ID) is None


def test_a_removed_key_refuses_a_remembered_token(access: str, settings: Any) -> None:
    assert read(access) is not None

    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SIGNING_KEYS": to_pem(new_private_key("ES256"))}

    assert read(access) is None


def test_so_many_tokens_are_remembered_and_no_more(
    web: Registered, alice: Any, verifications: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signatures, "_MOST_VERIFIED", 2)
    tokens = [make_tokens(web, alice)["access_token"] for _number in range(3)]

    for text in tokens:
        read(text)

    assert len(signatures._VERIFIED) == 2
    read(tokens[0])
    assert len(verifications) == 4
