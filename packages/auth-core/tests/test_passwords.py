"""The password policy and the verification of passwords."""

from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import CommonPasswordValidator

from auth_core.errors import InvalidRequest
from auth_core.hashers import Argon2idHasher
from auth_core.passwords import hashing, policy
from auth_core.testing.factories import PASSWORD


@pytest.fixture
def default_cost(settings: Any) -> None:
    """The cost parameters of production."""
    settings.AUTH_CORE = {name: value for name, value in settings.AUTH_CORE.items() if not name.startswith("PASSWORD")}


@pytest.mark.asvs("11.4.2")
def test_passwords_are_hashed_with_argon2id_parameters_of_owasp(default_cost: None) -> None:
    assert make_password(PASSWORD).startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.asvs("6.2.8")
@pytest.mark.parametrize("other", [PASSWORD + " ", " " + PASSWORD, PASSWORD.upper(), PASSWORD[:-1], PASSWORD + "x"])
@pytest.mark.django_db
def test_a_password_is_verified_exactly(other: str, alice: Any) -> None:
    assert hashing.verify(alice, PASSWORD)
    assert not hashing.verify(alice, other)


@pytest.mark.django_db
def test_composed_and_decomposed_letters_are_equal(alice: Any) -> None:
    alice.set_password("caf\u00e9 caf\u00e9 caf\u00e9 caf\u00e9")

    assert hashing.verify(alice, "cafe\u0301 cafe\u0301 cafe\u0301 cafe\u0301")


@pytest.mark.asvs("11.2.2")
@pytest.mark.django_db
def test_a_hash_with_other_parameters_is_renewed_at_login(alice: Any, default_cost: None) -> None:
    before = alice.password

    assert hashing.verify(alice, PASSWORD)

    alice.refresh_from_db()
    assert alice.password != before
    assert "m=19456,t=2,p=1" in alice.password


@pytest.mark.django_db
@pytest.mark.parametrize("normalised", [True, False])
def test_an_imported_hash_is_tried_as_received_and_normalised(normalised: bool, alice: Any) -> None:
    typed = "cafe\u0301 de la gare, Paris"
    stored = policy.normalise(typed) if normalised else typed
    alice.password = make_password(stored, hasher="pbkdf2_sha256")

    assert hashing.verify(alice, typed)


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["nobody", "unusable", "wrong"])
def test_every_login_costs_one_hash(who: str, alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    for name in ("encode", "verify"):
        real = getattr(Argon2idHasher, name)
        monkeypatch.setattr(
            Argon2idHasher,
            name,
            lambda self, *arguments, _real=real, _name=name: (hashed.append(_name), _real(self, *arguments))[1],
        )
    if who == "unusable":
        alice.set_unusable_password()

    assert not hashing.verify(None if who == "nobody" else alice, "not the password at all")

    assert len(hashed) == 1


@pytest.mark.asvs("6.2.9")
@pytest.mark.parametrize("password", ["p" * 64, "p" * 128, "\U0001f600" * 15, "\u00e9" * 128])
def test_long_passwords_of_any_characters_are_accepted(password: str) -> None:
    policy.check_shape(password)


@pytest.mark.parametrize(
    "password", ["p" * 129, "\ufdfa" * 60, "p" * 1_000_000, "with\0nul", "half \ud800 pair", "\U0001f600" * 129]
)
def test_an_invalid_password_is_refused_before_it_is_hashed(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Argon2idHasher, "encode", lambda *arguments: pytest.fail("hashed"))

    with pytest.raises(InvalidRequest):
        policy.check_shape(password)


@pytest.mark.asvs("6.2.1")
def test_a_short_password_is_refused_with_a_reason() -> None:
    with pytest.raises(InvalidRequest) as refused:
        policy.validate_new("fourteen chars")

    assert [error.code for error in refused.value.errors] == ["password_too_short"]
    policy.validate_new("fifteen chars !")


@pytest.mark.asvs("6.2.5")
@pytest.mark.parametrize(
    "password", ["all lower case words", "94837592837465928", "\U0001f600\U0001f601\U0001f602" * 5]
)
def test_any_composition_is_accepted(password: str) -> None:
    policy.validate_new(password)


@pytest.mark.asvs("6.2.4")
def test_common_passwords_are_refused(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PASSWORD_MIN_LENGTH": 8}
    common = [password for password in sorted(CommonPasswordValidator().passwords) if len(password) >= 8][:3000]

    for password in common:
        with pytest.raises(InvalidRequest):
            policy.validate_new(password)


@pytest.mark.asvs("6.2.11")
@pytest.mark.parametrize("password", ["alice alice alice", "Example.org2026", "AcmeAuth 2026!!", "acmeacmeacmeacme1"])
@pytest.mark.django_db
def test_context_words_are_refused(password: str, alice: Any, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PASSWORD_CONTEXT_WORDS": ["acme", "auth"]}

    with pytest.raises(InvalidRequest) as refused:
        policy.validate_new(password, user=alice)

    assert "password_in_context" in [error.code for error in refused.value.errors]


def test_no_reason_repeats_the_password() -> None:
    with pytest.raises(InvalidRequest) as refused:
        policy.validate_new("hunter2")

    assert "hunter2" not in str([(error.detail, error.params) for error in refused.value.errors])
