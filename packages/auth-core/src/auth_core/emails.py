"""E-mail addresses: what is one, and what two spellings of one mailbox have in common.

Source: RFC 5321 sections 4.1.2 and 4.5.3.1, RFC 5322 section 3.4.1 (dot-atom), RFC 6531
(letters beyond ASCII), UTS 46 and RFC 5891 (host names).
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import NoReturn

import idna

#: 64 octets of local part, ``@``, 255 octets of domain.
MAX_LENGTH = 320
_MAX_LOCAL = 64

#: Control, format (zero width, bidirectional), surrogate, private and unassigned characters, and spaces.
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})

#: RFC 5322 atext, and letters, marks and digits beyond ASCII (RFC 6531).
_LOCAL = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")


class InvalidAddress(ValueError):
    """A text is not an e-mail address; `code` is a closed word that says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Address:
    """An e-mail address.

    Args:
        display: As the person wrote it, without spaces around it.
        key: NFKC and case folded, with the domain as A-labels: equal for two spellings of one mailbox.
    """

    display: str
    key: str


def parse(text: str) -> Address:
    """Return the address that *text* is.

    The length is looked at before anything is normalised, so that a megabyte or
    100,000 labels cost nothing.

    Raises:
        InvalidAddress: it is none, or one that could be mistaken for another.
    """
    display = text.strip(" ") if len(text) <= MAX_LENGTH else _refuse("too_long")
    if any(unicodedata.category(letter) in _REFUSED_CATEGORIES for letter in display):
        _refuse("forbidden_character")
    # Counted before NFKC: the full-width form (U+FF20) becomes an @ only there, and a filter in front of us sees none.
    if display.count("@") != 1:
        _refuse("not_one_at")
    compatible = unicodedata.normalize("NFKC", display)
    if compatible.count("@") != 1 or len(compatible) > MAX_LENGTH:
        _refuse("not_one_at")
    local, _at, domain = compatible.partition("@")
    key = f"{_local(unicodedata.normalize('NFKC', local.casefold()))}@{_domain(domain)}"
    return Address(display=display, key=key if len(key) <= MAX_LENGTH else _refuse("too_long"))


def _local(local: str) -> str:
    if len(local.encode()) > _MAX_LOCAL or not _LOCAL.fullmatch(local):
        _refuse("local_part")
    return local


def _domain(domain: str) -> str:
    """Return the host name as A-labels; it has two labels at least, and no address stands in its place.

    UTS 46 folds its case. `str.casefold` would make faß.example and fass.example one,
    which are two domains of two owners (RFC 5894 section 7.2).
    """
    try:
        ascii_domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        _refuse("domain")
    if "." not in ascii_domain or ascii_domain.rpartition(".")[2].isdigit():
        _refuse("domain")
    return ascii_domain.lower()


def _refuse(code: str) -> NoReturn:
    raise InvalidAddress(code)
