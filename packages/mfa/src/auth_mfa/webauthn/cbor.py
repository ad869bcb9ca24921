"""How far an item of CBOR reaches, and that it is of the plain kind which authenticators write.

Source: RFC 8949 section 3; CTAP 2.1 section 8 (canonical CBOR: no tags, no indefinite
lengths, nesting of at most four levels).

Read before any library reads it: with tags 28 and 29 a hundred bytes become gigabytes
when they are written again, as the library does with every public key and extension,
before a signature is looked at.
"""

#: Levels of nesting that CTAP allows.
MAX_DEPTH = 4

_BYTES, _TEXT, _ARRAY, _MAP, _TAG = 2, 3, 4, 5, 6

#: Additional information up to which the value stands in the first byte itself; then in 1, 2, 4 or 8 bytes.
_INLINE, _LONGEST = 23, 27

# Of authenticator data (WebAuthn Level 3 section 6.1): what stands before the first item, and its flags.
_HEADER, _FLAGS_AT, _ID_LENGTH_AT, _ID_AT = 37, 32, 53, 55
_HAS_CREDENTIAL, _HAS_EXTENSIONS = 0x40, 0x80


class NotPlain(ValueError):
    """The bytes are no CBOR that an authenticator writes."""


def item_end(data: bytes, start: int = 0, *, depth: int = MAX_DEPTH) -> int:
    """Return the position behind the item that begins at *start*.

    Raises:
        NotPlain: it is cut off, tagged, of indefinite length or nested too deep.
    """
    major, value, position = _head(data, start)
    if major == _TAG:
        raise NotPlain("A tag.")
    if major in (_BYTES, _TEXT):
        position += value
    elif major in (_ARRAY, _MAP):
        if depth == 0:
            raise NotPlain("Nested too deep.")
        for _item in range(min(value, len(data)) * (2 if major == _MAP else 1)):
            position = item_end(data, position, depth=depth - 1)
    if position > len(data):
        raise NotPlain("Cut off.")
    return position


def check_item(data: bytes) -> None:
    """See that *data* is one plain item and nothing behind it.

    Raises:
        NotPlain: it is not.
    """
    if item_end(data) != len(data):
        raise NotPlain("Something stands behind it.")


def check_authenticator_data(data: bytes) -> None:
    """See that the items within authenticator data are plain.

    Raises:
        NotPlain: they are not, or something is missing or left over.
    """
    if len(data) < _HEADER:
        raise NotPlain("Too short.")
    position = _HEADER
    if data[_FLAGS_AT] & _HAS_CREDENTIAL:
        position = item_end(data, _ID_AT + int.from_bytes(data[_ID_LENGTH_AT:_ID_AT], "big"))
    if data[_FLAGS_AT] & _HAS_EXTENSIONS:
        position = item_end(data, position)
    if position != len(data):
        raise NotPlain("Something stands behind it.")


def _head(data: bytes, start: int) -> tuple[int, int, int]:
    """Return major type, value and the position behind them."""
    if start >= len(data):
        raise NotPlain("Cut off.")
    major, information = data[start] >> 5, data[start] & 0x1F
    if information <= _INLINE:
        return major, information, start + 1
    if information > _LONGEST:
        raise NotPlain("Of indefinite length.")
    end = start + 1 + 2 ** (information - _INLINE - 1)
    if end > len(data):
        raise NotPlain("Cut off.")
    return major, int.from_bytes(data[start + 1 : end], "big"), end
