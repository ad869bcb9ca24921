"""E-mail addresses: validation, the mailbox that mail is sent to, and the key shared by its spellings.

One mailbox has one key, and one key has one mailbox (decision record 0027).

Source: RFC 5321 sections 4.1.2 and 4.5.3.1, RFC 5322 section 3.4.1 (dot-atom), RFC 6531 (letters beyond ASCII), UTS 46
and RFC 5891 (host names), RFC 2047 section 2 (encoded words).
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NoReturn

import idna

from auth_core.text import Pattern

#: 64 octets of local part, ``@``, 255 octets of domain.
MAX_LENGTH = 320
_MAX_LOCAL = 64

#: Control, format (zero width, bidirectional), surrogate, private and unassigned characters, and spaces.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})

#: RFC 5322 atext, and letters and digits beyond ASCII (RFC 6531). ``%`` and ``!`` are excluded, because relays read
#: them as a route to another host: mail for a%evil.example@example.org would go to evil.example.
_LOCAL = Pattern(r"[\w#$&'*+/=?^`{|}~-]+(?:\.[\w#$&'*+/=?^`{|}~-]+)*", at_most=_MAX_LOCAL)

#: The start of an encoded word (RFC 2047). Django 5.2 decodes one in a recipient and mails the decoded address.
_ENCODED_WORD = "=?"


class InvalidAddress(ValueError):
    """A text is not a valid e-mail address. `code` is a closed word for the reason."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Address:
    """An e-mail address.

    Args:
        mailbox: The form that is stored, shown and mailed: the local part in NFC with its ASCII case, and the domain as
            A-labels. The mail backend has nothing left to encode in the domain.
        key: `mailbox` in lower case. Equal for two spellings of one mailbox.
    """

    mailbox: str
    key: str


def parse(text: str) -> Address:
    """Parse an e-mail address.

    The length is checked before normalisation, so that a megabyte or 100,000 labels cost nothing.

    Raises:
        InvalidAddress: *text* is not an address, or could be confused with another one.
    """
    stripped = text.strip(" ") if len(text) <= MAX_LENGTH else _refuse("too_long")
    if any(unicodedata.category(letter) in _REFUSED_CATEGORIES for letter in stripped):
        _refuse("forbidden_character")
    # Counted before and after NFKC. NFKC turns the full-width form (U+FF20) into an @, which a filter in front of us
    # does not see.
    if stripped.count("@") != 1 or unicodedata.normalize("NFKC", stripped).count("@") != 1:
        _refuse("not_one_at")
    typed_local, _at, typed_domain = stripped.partition("@")
    local, domain = _local(typed_local), _domain(typed_domain)
    mailbox = f"{local}@{domain}"
    if len(mailbox) > MAX_LENGTH:
        _refuse("too_long")
    return Address(mailbox=mailbox, key=f"{local.casefold()}@{domain}")


def _local(text: str) -> str:
    """Return the local part in NFC. Case folding then changes only its ASCII letters.

    A mail server may treat ß and ss, or a full-width letter and a plain one, as two mailboxes. Both would share one
    key, so letters of such pairs are refused.
    """
    _refuse_ambiguous(text)
    local = unicodedata.normalize("NFC", text)
    # Checked again: NFC may have combined a letter and its accent into a capital letter.
    _refuse_ambiguous(local)
    if len(local.encode()) > _MAX_LOCAL or not _LOCAL.fullmatch(local) or _ENCODED_WORD in local:
        _refuse("local_part")
    return local


def _refuse_ambiguous(local: str) -> None:
    """Refuse letters beyond ASCII that NFKC or case folding would change, such as ß, É or the Kelvin sign."""
    for letter in local:
        if not letter.isascii() and not letter == letter.casefold() == unicodedata.normalize("NFKC", letter):
            _refuse("ambiguous_letter")


@lru_cache(maxsize=4096)
def _domain(domain: str) -> str:
    """Return the host name as A-labels. It needs at least two labels and must not be an IP address.

    UTS 46 folds its case. `str.casefold` would merge faß.example and fass.example, which are two domains of two owners
    (RFC 5894 section 7.2). A dot at the end is refused: it names the same host but would make another key.
    """
    try:
        ascii_domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        _refuse("domain")
    labels = ascii_domain.split(".")
    if len(labels) == 1 or not labels[-1] or labels[-1].isdigit():
        _refuse("domain")
    return ascii_domain


@lru_cache(maxsize=4096)
def unicode_domain(ascii_domain: str) -> str:
    """Return the host name *ascii_domain*, of an `Address`, with its labels in Unicode."""
    try:
        return idna.decode(ascii_domain)
    except (idna.IDNAError, UnicodeError):
        return ascii_domain


def _refuse(code: str) -> NoReturn:
    raise InvalidAddress(code)
