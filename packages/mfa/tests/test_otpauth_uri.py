"""The URI of an authenticator app, read as apps read it.

Source: the Key URI format of Google Authenticator (``google/google-authenticator``, wiki page Key-Uri-Format).
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pyotp
import pytest

from auth_mfa import checks, oath
from auth_mfa.totp.qr import svg_of

KEY = b"12345678901234567890"

#: A name, and what apps show of it.
NAMES = [
    ("Example", "Example"),
    ("Ex & Ample", "Ex & Ample"),
    ("alice@example.org", "alice@example.org"),
    ("a/b", "a/b"),
    ("../x?y#z", "../x?y#z"),
    ("100%", "100%"),
    ("%3A", "%3A"),
    ("%20", "%20"),
    ("a+b@example.org", "a+b@example.org"),
    ("a=b&secret=c", "a=b&secret=c"),
    ("Zürich Bücher", "Zürich Bücher"),
    ("日本語", "日本語"),
    ("🔑 keys", "🔑 keys"),
    ("CORP:alice", "CORP-alice"),
    ("a::b", "a--b"),
    (" spaced   out ", "spaced out"),
    ("line\nend\r\tx", "line end x"),
    ("left\u202eright", "left right"),
    ("nul\x00", "nul"),
]


@dataclass(frozen=True)
class Shown:
    """What an app shows and uses."""

    issuer: str
    account: str
    secret: str


def read_decoding_last(uri: str) -> Shown:
    """Split the label at a literal colon, then decode the parts, as the format describes."""
    parts = urlsplit(uri)
    issuer, colon, account = parts.path.removeprefix("/").partition(":")
    return _shown(parts.query, unquote(issuer), unquote(account), colon)


def read_decoding_first(uri: str) -> Shown:
    """Decode the label, then split it at the first colon."""
    parts = urlsplit(uri)
    issuer, colon, account = unquote(parts.path.removeprefix("/")).partition(":")
    return _shown(parts.query, issuer, account, colon)


def _shown(query: str, issuer: str, account: str, colon: str) -> Shown:
    pairs = [(name, unquote(value)) for name, _equals, value in (part.partition("=") for part in query.split("&"))]
    values = dict(pairs)
    assert len(values) == len(pairs)
    assert (values["algorithm"], values["digits"], values["period"]) == ("SHA1", "6", "30")
    assert set(values) <= {"secret", "issuer", "algorithm", "digits", "period"}
    if not colon:
        return Shown("", issuer, values["secret"])
    assert values["issuer"] == issuer
    assert not {":"} & {*issuer, *account}
    return Shown(issuer, account.lstrip(" "), values["secret"])


def read_by_pyotp(uri: str) -> Shown:
    """Read with a library of its own."""
    otp = pyotp.parse_uri(uri)
    return Shown(otp.issuer or "", otp.name, otp.secret)


def read_by_forms(uri: str) -> Shown:
    """Read the query as a form, in which a plus is a space."""
    values, shown = dict(parse_qsl(urlsplit(uri).query)), read_decoding_last(uri)
    assert values.get("issuer", "") == shown.issuer
    return shown


@pytest.mark.parametrize("read", [read_decoding_last, read_decoding_first, read_by_pyotp, read_by_forms])
@pytest.mark.parametrize(("name", "shown"), NAMES)
def test_apps_show_the_issuer_and_the_account(name: str, shown: str, read: Any) -> None:
    secret = oath.to_base32(KEY)

    assert read(oath.otpauth_uri(KEY, issuer=name, account="alice")) == Shown(shown, "alice", secret)
    assert read(oath.otpauth_uri(KEY, issuer="Example", account=name)) == Shown("Example", shown, secret)


@pytest.mark.parametrize("read", [read_decoding_last, read_decoding_first, read_by_pyotp, read_by_forms])
@pytest.mark.parametrize("issuer", ["", " ", "\x00"])
def test_without_an_issuer_the_label_is_the_account(issuer: str, read: Any) -> None:
    assert read(oath.otpauth_uri(KEY, issuer=issuer, account="alice")) == Shown("", "alice", oath.to_base32(KEY))


def test_the_uri_has_only_characters_of_a_uri() -> None:
    uri = oath.otpauth_uri(KEY, issuer="Ex & Ample", account="alice@example.org")

    assert uri == (
        "otpauth://totp/Ex%20%26%20Ample:alice@example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
        "&issuer=Ex%20%26%20Ample&algorithm=SHA1&digits=6&period=30"
    )
    assert all(oath.otpauth_uri(KEY, issuer=name, account=name).isascii() for name, _shown_name in NAMES)


@pytest.mark.parametrize("letter", ["a", "é", "語", "🔑"])
def test_the_longest_names_fit_into_a_qr_code(letter: str) -> None:
    uri = oath.otpauth_uri(KEY, issuer=letter * 1000, account=letter * 1000)

    shown = read_decoding_last(uri)
    assert len(shown.issuer.encode()) <= oath.LONGEST_ISSUER
    assert len(shown.account.encode()) <= oath.LONGEST_ACCOUNT
    assert {*shown.issuer, *shown.account} == {letter}
    assert svg_of(uri).startswith("<svg")


def test_the_longest_address_is_shown_completely() -> None:
    address = f"{'a' * 64}@{'b' * 185}.org"

    assert read_decoding_last(oath.otpauth_uri(KEY, issuer="Example", account=address)).account == address


@pytest.mark.parametrize(
    ("issuer", "shown"), [("Example: staging", "Example- staging"), ("Two  spaces", "Two spaces"), ("x" * 65, "x" * 64)]
)
def test_an_issuer_that_apps_cannot_show_is_a_warning(issuer: str, shown: str, settings: Any) -> None:
    settings.AUTH_MFA = {"TOTP_ISSUER": issuer}

    (warning,) = checks.check_issuer()

    assert warning.id == "auth_mfa.W003"
    assert repr(shown) in warning.msg
    assert "TOTP_ISSUER" in str(warning.hint)


def test_the_name_of_the_site_is_checked_if_there_is_no_issuer(settings: Any) -> None:
    settings.AUTH_MFA = {}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SITE_NAME": "Café"}
    assert checks.check_issuer() == []

    settings.AUTH_CORE = {**settings.AUTH_CORE, "SITE_NAME": "a:b"}
    assert [warning.id for warning in checks.check_issuer()] == ["auth_mfa.W003"]


def test_a_site_without_authenticator_apps_has_no_warning(settings: Any) -> None:
    settings.AUTH_MFA = {"TOTP_ISSUER": "a:b", "METHODS": ("passkey",)}

    assert checks.check_issuer() == []
