"""E-mail addresses: which text is one, where its mail goes, and what two spellings of one mailbox have in common.

One mailbox has one key, and one key has one mailbox (decision record 0027).

Source: RFC 5321 sections 4.1.2 and 4.5.3.1, RFC 5322 section 3.4.1 (dot-atom), RFC 6531
(letters beyond ASCII), UTS 46 and RFC 5891 (host names), RFC 2047 section 2 (encoded words).
"""

import unicodedata
from dataclasses import dataclass
from typing import NoReturn

import idna

from auth_core.text import Pattern

#: 64 octets of local part, ``@``, 255 octets of domain.
MAX_LENGTH = 320
_MAX_LOCAL = 64

#: Control, format (zero width, bidirectional), surrogate, private and unassigned characters, and spaces.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})

#: RFC 5322 atext, and letters and digits beyond ASCII (RFC 6531). Without ``%`` and ``!``: relays read them as a
#: route to another host, so that mail for a%evil.example@example.org would go to evil.example.
_LOCAL = Pattern(r"[\w#$&'*+/=?^`{|}~-]+(?:\.[\w#$&'*+/=?^`{|}~-]+)*", at_most=_MAX_LOCAL)

#: How an encoded word begins (RFC 2047). Django 5.2 decodes one in a recipient, and mails what stands in it.
_ENCODED_WORD = "=?"


class InvalidAddress(ValueError):
    """A text is not an e-mail address; `code` is a closed word that says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Address:
    """An e-mail address.

    Args:
        mailbox: What is stored, shown and mailed: the local part in NFC, with its case in ASCII, and the domain as
            A-labels. A mail backend has nothing left to encode in the domain.
        key: `mailbox` in lower case: equal for two spellings of one mailbox.
    """

    mailbox: str
    key: str


def parse(text: str) -> Address:
    """Return the address that *text* is.

    The length is looked at before anything is normalised, so that a megabyte or
    100,000 labels cost nothing.

    Raises:
        InvalidAddress: it is none, or one that could be mistaken for another.
    """
    written = text.strip(" ") if len(text) <= MAX_LENGTH else _refuse("too_long")
    if any(unicodedata.category(letter) in _REFUSED_CATEGORIES for letter in written):
        _refuse("forbidden_character")
    # Counted before NFKC: the full-width form (U+FF20) becomes an @ only there, and a filter in front of us sees none.
    if written.count("@") != 1 or unicodedata.normalize("NFKC", written).count("@") != 1:
        _refuse("not_one_at")
    typed_local, _at, typed_domain = written.partition("@")
    local, domain = _local(typed_local), _domain(typed_domain)
    mailbox = f"{local}@{domain}"
    if len(mailbox) > MAX_LENGTH:
        _refuse("too_long")
    return Address(mailbox=mailbox, key=f"{local.casefold()}@{domain}")


def _local(text: str) -> str:
    """Return the local part in NFC; case folding then changes its ASCII letters alone.

    A mail server may take ß and ss, or a full-width letter and a plain one, for two
    mailboxes. They would share a key, so that no letter of such a pair is taken.
    """
    _refuse_ambiguous(text)
    local = unicodedata.normalize("NFC", text)
    # Again: a letter and its accent may have become a capital letter.
    _refuse_ambiguous(local)
    if len(local.encode()) > _MAX_LOCAL or not _LOCAL.fullmatch(local) or _ENCODED_WORD in local:
        _refuse("local_part")
    return local


def _refuse_ambiguous(local: str) -> None:
    """Refuse letters beyond ASCII that NFKC or case folding would change, such as ß, É or the Kelvin sign."""
    for letter in local:
        if not letter.isascii() and not letter == letter.casefold() == unicodedata.normalize("NFKC", letter):
            _refuse("ambiguous_letter")


def _domain(domain: str) -> str:
    """Return the host name as A-labels; it has two labels at least, and no address stands in its place.

    UTS 46 folds its case. `str.casefold` would make faß.example and fass.example one,
    which are two domains of two owners (RFC 5894 section 7.2). A dot at its end is
    refused: it names the same host, and would make another key of it.
    """
    try:
        ascii_domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        _refuse("domain")
    labels = ascii_domain.split(".")
    if len(labels) == 1 or not labels[-1] or labels[-1].isdigit():
        _refuse("domain")
    return ascii_domain


def _refuse(code: str) -> NoReturn:
    raise InvalidAddress(code)
