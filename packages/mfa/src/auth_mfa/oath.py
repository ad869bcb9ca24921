"""Time-based one-time passwords, without Django and users.

Source: RFC 6238, RFC 4226, and the ``otpauth`` URI format of authenticator apps.
"""

import base64
import hmac
import secrets
from urllib.parse import quote

from django_otp.oath import hotp

#: RFC 6238 section 5.2: the default, which every app supports.
STEP_SECONDS = 30

#: RFC 4226 section 5.3: the minimum, also for sent codes. ASVS 6.5.4 asks for 20 bits, and six digits have 19.9.
DIGITS = 6

#: RFC 4226 section 4 R6 recommends 160 bits. The minimum is 112 (SP 800-63B-4 section 3.1.4).
_KEY_BYTES = 20

#: Maximum length of the issuer in a URI, in bytes of UTF-8. A QR code must hold it twice, percent-encoded.
LONGEST_ISSUER = 64

#: Maximum length of the account in a URI, in bytes of UTF-8: the longest email address.
LONGEST_ACCOUNT = 254


def new_key() -> bytes:
    """Return a shared secret of 160 bits from the system's generator."""
    return secrets.token_bytes(_KEY_BYTES)


def to_base32(key: bytes) -> str:
    """Return *key* in the form that people type into an app: upper case, without padding."""
    return base64.b32encode(key).decode("ascii").rstrip("=")


def from_base32(text: str) -> bytes:
    """Return the key that *text* encodes."""
    return base64.b32decode(text + "=" * (-len(text) % 8))


def code_at(key: bytes, step: int) -> str:
    """Return the code of a time step."""
    return f"{hotp(key, step, DIGITS):0{DIGITS}d}"


def step_at(moment: float) -> int:
    """Return the time step of *moment*, in Unix seconds."""
    return int(moment // STEP_SECONDS)


def matching_step(key: bytes, code: str, *, at: float, tolerance: int = 1, after: int = -1) -> int | None:
    """Return the time step at which *code* is valid, or ``None``.

    Every step of the window is computed and compared in constant time, even after a match,
    so that the time reveals nothing.

    Source: RFC 6238 sections 4.2 and 5.2. A caller that stores the returned step
    and passes it back as *after* makes each code usable once, as 5.2 requires.

    Args:
        key: The shared secret, in bytes.
        code: The code that was typed.
        at: The moment of use, in Unix seconds.
        tolerance: Steps of clock drift to allow on either side.
        after: Steps up to and including this one are already spent.
    """
    now = step_at(at)
    steps = range(max(now - tolerance, 0), now + tolerance + 1)
    matches = [step for step in steps if hmac.compare_digest(code_at(key, step).encode(), code.encode())]
    return next((step for step in matches if step > after), None)


def otpauth_uri(key: bytes, *, issuer: str, account: str) -> str:
    """Return the URI from which an app reads a key, as a link or as a QR code.

    The label is ``issuer:account``, each part percent-encoded, and the parameter ``issuer`` equals the first part.
    The colon between them is literal: some apps split the label before they decode it, others after.

    Source: the Key URI format of Google Authenticator (``google/google-authenticator``, wiki page Key-Uri-Format).

    Args:
        issuer: The name of the service, in the form of `shown_name`. Left out if nothing of it can be shown.
        account: The name of the account, usually an email address, in the same form.
    """
    issuer_text = quote(shown_name(issuer, longest=LONGEST_ISSUER), safe="@")
    account_text = quote(shown_name(account, longest=LONGEST_ACCOUNT), safe="@")
    label = f"{issuer_text}:{account_text}" if issuer_text else account_text
    # Not urlencode: it writes a space as a plus, which some apps show.
    named = f"&issuer={issuer_text}" if issuer_text else ""
    return f"otpauth://totp/{label}?secret={to_base32(key)}{named}&algorithm=SHA1&digits={DIGITS}&period={STEP_SECONDS}"


def shown_name(name: str, *, longest: int) -> str:
    """Return the issuer or account as an app can show it.

    A colon becomes a hyphen, because apps split the label at a colon. Control characters, among them line ends and
    changes of the writing direction, become spaces, and repeated spaces become one.

    Args:
        longest: The maximum length of the result, in bytes of UTF-8. A longer name is cut.
    """
    # A character has at least one byte, so nothing that is shown is cut here.
    printable = "".join(letter if letter.isprintable() else " " for letter in name[: 4 * longest])
    spaced = " ".join(printable.replace(":", "-").split())
    return spaced.encode()[:longest].decode(errors="ignore").strip()
