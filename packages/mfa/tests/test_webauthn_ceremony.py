"""The two ceremonies of WebAuthn, without users."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    encode_cbor,
    parse_authenticator_data,
    parse_cbor,
)

from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.webauthn import cbor, ceremony
from auth_mfa.webauthn.ceremony import (
    MAX_CREDENTIAL,
    Malformed,
    Refused,
    RelyingParty,
    assertion_options,
    check_assertion_shape,
    check_attestation_shape,
    claimed_challenge,
    registration_options,
    verify_assertion,
    verify_registration,
)

PARTY = RelyingParty(id="auth.example.org", name="Example", origins=["https://auth.example.org"])
CHALLENGE = "A" * 43
OTHER_CHALLENGE = "B" * 42 + "A"
OPTIONS = registration_options(
    PARTY,
    challenge=CHALLENGE,
    user_handle=b"h" * 16,
    user_name="alice",
    exclude=[],
    discoverable="preferred",
    timeout=1000,
)

WRONG: list[dict[str, Any]] = [
    {"origin": "https://evil.example.org"},
    {"origin": "https://auth.example.org.evil.net"},
    {"origin": "http://auth.example.org"},
    {"rp_id": "example.org"},
    {"challenge": OTHER_CHALLENGE},
    {"client_type": "payment.get"},
    {"user_present": False},
    {"backup_eligible": False, "backup_state": True},
    {"extra": {"crossOrigin": True}},
    {"extra": {"crossOrigin": "no"}},
    {"extra": {"crossOrigin": True, "topOrigin": "https://evil.example.org"}},
    {"extra": {"topOrigin": "https://evil.example.org"}},
    {"extra": {"topOrigin": ["https://auth.example.org"]}},
    {"extra": {"challenge": 5}},
]


def key_of(authenticator: Authenticator) -> str:
    return bytes_to_base64url(encode_cbor(authenticator.public_key))


def sign(authenticator: Authenticator, **changed: Any) -> dict[str, Any]:
    return authenticator.sign({"challenge": CHALLENGE}, **changed)


def verified(authenticator: Authenticator, credential: Mapping[str, Any], **arguments: Any) -> Any:
    check_assertion_shape(credential)
    return verify_assertion(PARTY, credential, challenge=CHALLENGE, public_key=key_of(authenticator), **arguments)


def made(public_key: Mapping[int, Any]) -> dict[str, Any]:
    """Return a registration with any public key."""
    key = Authenticator()
    made_with = type("Odd", (Authenticator,), {"public_key": property(lambda _self: public_key)})
    return dict(made_with(credential_id=key.credential_id).make(OPTIONS))


# --- Options --------------------------------------------------------------------


def test_registration_options_accept_our_algorithms_without_attestation() -> None:
    assert [param["alg"] for param in OPTIONS["pubKeyCredParams"]] == [-8, -7, -257]
    assert OPTIONS["attestation"] == "none"
    assert OPTIONS["rp"] == {"id": "auth.example.org", "name": "Example"}
    assert OPTIONS["extensions"] == {"credProps": True}
    assert OPTIONS["authenticatorSelection"]["userVerification"] == "preferred"


def test_assertion_options_name_the_stored_credentials() -> None:
    class FakeCredential:
        credential_id = "AAAA"
        transports = ("usb", "hybrid")

    options = assertion_options(
        PARTY, challenge=CHALLENGE, allow=[FakeCredential()], verification="required", timeout=1000
    )

    assert options["allowCredentials"] == [{"id": "AAAA", "type": "public-key", "transports": ["usb", "hybrid"]}]
    assert (options["userVerification"], options["rpId"], options["challenge"]) == (
        "required",
        "auth.example.org",
        CHALLENGE,
    )


# --- Valid responses ------------------------------------------------------------


@pytest.mark.parametrize("is_verified", [True, False])
def test_a_registration_describes_the_authenticator(is_verified: bool) -> None:
    key = Authenticator(user_verified=is_verified, backup_eligible=True, backup_state=True, sign_count=7)

    registered = verify_registration(PARTY, key.make(OPTIONS), challenge=CHALLENGE)

    assert base64url_to_bytes(registered.credential_id) == key.credential_id
    assert registered.public_key == key_of(key)
    assert (registered.user_verified, registered.discoverable) == (is_verified, True)
    assert (registered.backup_eligible, registered.backup_state, registered.sign_count) == (True, True, 7)
    assert registered.transports == ("hybrid", "internal")


@pytest.mark.parametrize("is_verified", [True, False])
def test_an_assertion_reports_user_verification(is_verified: bool) -> None:
    key = Authenticator(sign_count=3)

    asserted = verified(key, sign(key, user_verified=is_verified))

    assert (asserted.user_verified, asserted.sign_count) == (is_verified, 4)


def test_an_attestation_statement_is_ignored() -> None:
    credential = Authenticator().make(OPTIONS)
    given_statement = {"fmt": "packed", "attStmt": {"alg": -7, "sig": b"x", "x5c": [b"no certificate"]}}
    data = cbor_of(credential)["authData"]
    credential["response"]["attestationObject"] = bytes_to_base64url(encode_cbor(given_statement | {"authData": data}))

    assert verify_registration(PARTY, credential, challenge=CHALLENGE).credential_id == credential["id"]


def test_allowed_origins_may_frame_our_pages() -> None:
    party = RelyingParty(id=PARTY.id, name="x", origins=PARTY.origins, top_origins=("https://shop.example.org",))
    key = Authenticator(extra={"crossOrigin": True, "topOrigin": "https://shop.example.org"})

    assert verify_assertion(party, sign(key), challenge=CHALLENGE, public_key=key_of(key))


def cbor_of(credential: Mapping[str, Any]) -> Any:
    return parse_cbor(base64url_to_bytes(credential["response"]["attestationObject"]))


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_the_three_algorithms_are_accepted(algorithm: str) -> None:
    assert verify_registration(PARTY, made(KEYS[algorithm]()), challenge=CHALLENGE)


def _okp() -> dict[int, Any]:
    return {1: 1, 3: -8, -1: 6, -2: ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()}


def _rsa(bits: int = 2048) -> dict[int, Any]:
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    return {1: 3, 3: -257, -1: numbers.n.to_bytes(bits // 8, "big"), -2: b"\x01\x00\x01"}


def _p384() -> dict[int, Any]:
    point = ec.generate_private_key(ec.SECP384R1()).public_key().public_numbers()
    return {1: 2, 3: -7, -1: 2, -2: point.x.to_bytes(48, "big"), -3: point.y.to_bytes(48, "big")}


KEYS = {"ES256": lambda: Authenticator().public_key, "EdDSA": _okp, "RS256": _rsa}


# --- Invalid responses ----------------------------------------------------------


@pytest.mark.parametrize("changed", WRONG, ids=str)
def test_a_wrong_registration_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        verify_registration(PARTY, Authenticator().make(OPTIONS, **changed), challenge=CHALLENGE)


@pytest.mark.parametrize("changed", WRONG, ids=str)
def test_a_wrong_assertion_is_refused(changed: dict[str, Any]) -> None:
    key = Authenticator()

    with pytest.raises(Refused):
        verified(key, sign(key, **changed))


def test_assertions_and_registrations_are_not_interchangeable() -> None:
    key = Authenticator()

    with pytest.raises(Refused):
        verified(key, sign(key, client_type="webauthn.create"))
    with pytest.raises(Refused):
        verify_registration(PARTY, key.make(OPTIONS, client_type="webauthn.get"), challenge=CHALLENGE)


def test_the_signature_of_another_key_is_refused() -> None:
    with pytest.raises(Refused):
        verified(Authenticator(), sign(Authenticator()))


def test_an_unverified_user_is_refused_if_verification_is_required() -> None:
    key = Authenticator(user_verified=False)

    assert verified(key, sign(key))
    with pytest.raises(Refused):
        verified(key, sign(key), verification_required=True)


@pytest.mark.parametrize(
    "public_key",
    [
        {1: 2, 3: -7, -1: 1, -2: b"\1" * 32, -3: b"\1" * 32},
        {1: 2, 3: -7, -1: 1, -2: b"", -3: b""},
        {1: 2, 3: -35, -1: 1, -2: b"\1" * 32, -3: b"\1" * 32},
        {1: 3, 3: -257, -1: b"\xff" * 128, -2: b"\x01\x00\x01"},
        {1: 3, 3: -257, -1: b"\xff" * 1024, -2: b"\x01\x00\x01"},
        {1: 3, 3: -65535, -1: b"\xff" * 256, -2: b"\x01\x00\x01"},
        {1: 7, 3: -48, -1: b"\xff" * 1312},
        {1: 2},
        {},
        _p384(),
    ],
    ids=["no point", "empty", "ES384", "RSA 1024", "RSA 8192", "RS1", "ML-DSA", "no alg", "nothing", "P-384"],
)
def test_a_weak_or_malformed_key_is_refused(public_key: dict[int, Any]) -> None:
    with pytest.raises(Refused):
        verify_registration(PARTY, made(public_key), challenge=CHALLENGE)


@pytest.mark.parametrize(("bits", "exponent"), [(8_192, 3), (70_000, 3), (2_048, 2_048)])
def test_the_numbers_of_a_huge_rsa_key_are_never_parsed(
    monkeypatch: pytest.MonkeyPatch, bits: int, exponent: int
) -> None:
    read: list[Any] = []
    monkeypatch.setattr(ceremony, "decoded_public_key_to_cryptography", read.append)

    with pytest.raises(Refused):
        verify_registration(
            PARTY,
            made({1: 3, 3: -257, -1: b"\xff" * (bits // 8), -2: b"\xff" * exponent}),
            challenge=CHALLENGE,
        )

    assert read == []


def test_every_truncation_is_refused() -> None:
    key = Authenticator()
    registration, assertion = key.make(OPTIONS), sign(key)
    for credential, check in (
        (registration, lambda cut: verify_registration(PARTY, cut, challenge=CHALLENGE)),
        (assertion, lambda cut: verified(key, cut)),
    ):
        for name in ("clientDataJSON", "attestationObject", "authenticatorData", "signature"):
            whole = credential["response"].get(name, "")
            for length in range(1, len(whole)):
                cut = {**credential, "response": {**credential["response"], name: whole[:length]}}
                with pytest.raises(Refused):
                    check(cut)


BITS = st.integers(min_value=0, max_value=7)


@given(
    at=st.integers(min_value=0), bit=BITS, name=st.sampled_from(["clientDataJSON", "authenticatorData", "signature"])
)
@settings(max_examples=300, deadline=None)
def test_every_flipped_bit_is_refused(at: int, bit: int, name: str) -> None:
    key = Authenticator()
    credential = sign(key)
    flipped = bytearray(base64url_to_bytes(credential["response"][name]))
    flipped[at % len(flipped)] ^= 1 << bit
    credential["response"][name] = bytes_to_base64url(bytes(flipped))

    with pytest.raises(Refused):
        verified(key, credential)


# --- Garbage --------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
BASE64 = st.binary(min_size=1, max_size=300).map(bytes_to_base64url)
ENCODED_JSON = JSON.map(json.dumps).map(lambda text: bytes_to_base64url(text.encode()))
#: No longer than the shortest limit of a member. A longer one is malformed.
TEXTS = st.one_of(BASE64, ENCODED_JSON.filter(lambda text: len(text) <= 512))


@given(credential=JSON | st.fixed_dictionaries({"id": JSON, "rawId": JSON, "type": JSON, "response": JSON}))
@settings(max_examples=200, deadline=None)
def test_data_that_is_not_a_credential_is_malformed(credential: Any) -> None:
    for check in (check_assertion_shape, check_attestation_shape):
        with pytest.raises(Malformed):
            check(credential)


@given(
    identifier=BASE64,
    response=st.fixed_dictionaries(
        {
            "clientDataJSON": TEXTS,
            "authenticatorData": TEXTS,
            "signature": TEXTS,
            "attestationObject": TEXTS,
            "userHandle": st.none() | BASE64.filter(lambda text: len(text) <= 86),
            "transports": JSON,
        }
    ),
    extensions=JSON,
)
@settings(max_examples=300, deadline=None)
def test_a_well_formed_but_meaningless_credential_is_refused(identifier: str, response: Any, extensions: Any) -> None:
    credential = {"id": identifier, "rawId": identifier, "type": "public-key", "response": response}
    credential["clientExtensionResults"] = extensions

    with pytest.raises(Refused):
        verified(Authenticator(), credential)
    with pytest.raises(Refused):
        verify_registration(PARTY, credential, challenge=CHALLENGE)
    claimed_challenge(credential)


@given(extensions=JSON, transports=JSON, key=st.dictionaries(st.integers(-5, 5), st.integers() | st.binary()))
@settings(max_examples=200, deadline=None)
def test_unusual_extensions_and_keys_are_handled(extensions: Any, transports: Any, key: dict[int, Any]) -> None:
    credential = Authenticator().make(OPTIONS)
    credential["clientExtensionResults"] = extensions
    credential["response"]["transports"] = transports
    assert not verify_registration(PARTY, credential, challenge=CHALLENGE).discoverable

    with pytest.raises(Refused):
        verify_registration(PARTY, made(key), challenge=CHALLENGE)


@pytest.mark.parametrize(("name", "length"), [("id", 1365), ("rawId", 1365)])
def test_an_invalid_id_is_malformed(name: str, length: int) -> None:
    credential = sign(Authenticator())
    check_assertion_shape(credential)

    with pytest.raises(Malformed):
        check_assertion_shape({**credential, name: "A" * length})


@pytest.mark.parametrize("name", ["clientDataJSON", "authenticatorData", "signature", "userHandle"])
def test_a_member_that_is_too_long_or_not_base64url_is_malformed(name: str) -> None:
    credential = sign(Authenticator())
    for value in ("A" * 5000, "", "====", "a+/b", "\uff21", 5, ["A"]):
        with pytest.raises(Malformed):
            check_assertion_shape({**credential, "response": {**credential["response"], name: value}})


def test_a_credential_that_is_too_long_in_total_is_malformed() -> None:
    with pytest.raises(Malformed):
        check_assertion_shape({**sign(Authenticator()), "padding": "x" * MAX_CREDENTIAL})


def _bomb(levels: int, at: int = 0) -> bytes:
    """Return a hundred bytes in which each item contains the next one twice, with tags 28 and 29."""
    if levels == 0:
        return b"\xd8\x1c\x82\x00\x00"
    return b"\xd8\x1c\x82" + _bomb(levels - 1, at + 1) + b"\xd8\x1d" + encode_cbor(at + 1)


@pytest.mark.parametrize(
    "item",
    [_bomb(40), b"\xc0\x60", b"\x9f\xff", b"\x81\x81\x81\x81\x81\x00", b"\x9b" + b"\xff" * 8, b"\x5a\xff\xff\xff\xff"],
    ids=["bomb", "tag", "indefinite", "deep", "long array", "long bytes"],
)
def test_cbor_that_is_not_plain_never_reaches_the_library(item: bytes) -> None:
    key = Authenticator()
    for flags in (0x01 | 0x80, 0x01 | 0x40):
        attested = bytes(16) + b"\0\1x" if flags & 0x40 else b""
        data = key.data(0x80 if flags & 0x80 else 0x40) + attested + item
        credential = sign(key)
        credential["response"]["authenticatorData"] = bytes_to_base64url(data)
        with pytest.raises(Refused):
            verified(key, credential)
        credential["response"]["attestationObject"] = bytes_to_base64url(
            encode_cbor({"fmt": "none", "attStmt": {}, "authData": data})
        )
        with pytest.raises(Refused):
            verify_registration(PARTY, credential, challenge=CHALLENGE)
    credential["response"]["attestationObject"] = bytes_to_base64url(item)
    with pytest.raises(Refused):
        verify_registration(PARTY, credential, challenge=CHALLENGE)


ITEMS = st.recursive(
    st.integers(-(2**63), 2**63)
    | st.binary(max_size=40)
    | st.text(max_size=40)
    | st.booleans()
    | st.none()
    | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=10,
)


@given(item=ITEMS, behind=st.binary(max_size=5))
@settings(max_examples=300, deadline=None)
def test_the_end_of_an_item_matches_the_library(item: Any, behind: bytes) -> None:
    written = encode_cbor(item)

    assert cbor.item_end(written + behind, depth=10) == len(written)


def test_the_library_alone_would_write_megabytes_for_a_hundred_bytes() -> None:
    item = _bomb(18)

    written = parse_authenticator_data(Authenticator().data(0x80) + item).extensions

    assert (len(item) < 150, len(written) > 1_000_000) == (True, True), "the defect that is guarded against"
