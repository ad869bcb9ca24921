"""Time-based one-time passwords; knows no Django and no users.

Source: RFC 6238, RFC 4226; the ``otpauth`` address as authenticator apps read it.
"""

import base64
import hmac
import secrets
from urllib.parse import quote, urlencode

from django_otp.oath import hotp

#: RFC 6238 section 5.2: the default, which every app knows.
STEP_SECONDS = 30

#: RFC 4226 section 5.3: the least; codes that are sent have as many. ASVS 6.5.4 asks for 20 bits, and six digits have 19.9.
DIGITS = 6

#: RFC 4226 section 4 R6 recommends 160 bits; 112 are the least (SP 800-63B-4 section 3.1.4).
_KEY_BYTES = 20


def new_key() -> bytes:
    """Return a shared secret of 160 bits from the system's generator."""
    return secrets.token_bytes(_KEY_BYTES)


def to_base32(key: bytes) -> str:
    """Return *key* as people type it into an app: upper case, without padding."""
    return base64.b32encode(key).decode("ascii").rstrip("=")


def from_base32(text: str) -> bytes:
    """Return the key that *text* stands for."""
    return base64.b32decode(text + "=" * (-len(text) % 8))


def code_at(key: bytes, step: int) -> str:
    """Return the code of a time step."""
    return f"{hotp(key, step, DIGITS):0{DIGITS}d}"


def step_at(moment: float) -> int:
    """Return the time step in which *moment*, in Unix seconds, falls."""
    return int(moment // STEP_SECONDS)


def matching_step(key: bytes, code: str, *, at: float, tolerance: int = 1, after: int = -1) -> int | None:
    """Return the time step at which *code* is valid, or ``None``.

    Every step of the window is computed and compared in constant time, whether or not
    an earlier one matched: how long it takes tells nothing.

    Source: RFC 6238 sections 4.2 and 5.2. A caller that stores the returned step
    and passes it back as *after* makes each code usable once, as 5.2 requires.

    Args:
        key: The shared secret, in bytes.
        code: What the person typed.
        at: The moment of use, in Unix seconds.
        tolerance: Steps of clock drift to forgive on either side.
        after: Steps up to and including this one are already spent.
    """
    now = step_at(at)
    steps = range(max(now - tolerance, 0), now + tolerance + 1)
    found = [step for step in steps if hmac.compare_digest(code_at(key, step).encode(), code.encode())]
    return next((step for step in found if step > after), None)


def otpauth_uri(key: bytes, *, issuer: str, account: str) -> str:
    """Return the address that an app takes a key from, as a link or as a QR code.

    Args:
        issuer: Whom the code is for; the app shows it.
        account: Which account; an address, mostly.
    """
    label = quote(f"{issuer}:{account}", safe="@")
    given = {"secret": to_base32(key), "issuer": issuer, "algorithm": "SHA1", "digits": DIGITS, "period": STEP_SECONDS}
    return f"otpauth://totp/{label}?{urlencode(given, quote_via=quote)}"
