"""Length and plainness of CBOR items, as authenticators write them.

Source: RFC 8949 section 3; CTAP 2.1 section 8 (canonical CBOR: no tags, no indefinite
lengths, nesting of at most four levels).

This check runs before any library parses the bytes. With tags 28 and 29 a hundred bytes
become gigabytes when they are encoded again, and the library encodes every public key and
extension before it verifies a signature.
"""

#: Maximum nesting that CTAP allows.
MAX_DEPTH = 4

_BYTES, _TEXT, _ARRAY, _MAP, _TAG = 2, 3, 4, 5, 6

#: Up to _INLINE the first byte holds the value itself. Up to _LONGEST the value follows in 1, 2, 4 or 8 bytes.
_INLINE, _LONGEST = 23, 27

# Offsets and flags of authenticator data (WebAuthn Level 3 section 6.1).
_HEADER, _FLAGS_AT, _ID_LENGTH_AT, _ID_AT = 37, 32, 53, 55
_HAS_CREDENTIAL, _HAS_EXTENSIONS = 0x40, 0x80


class NotPlain(ValueError):
    """The bytes are not plain CBOR."""


def item_end(data: bytes, start: int = 0, *, depth: int = MAX_DEPTH) -> int:
    """Return the position after the item that begins at *start*.

    Raises:
        NotPlain: the item is truncated, tagged, of indefinite length or nested too deeply.
    """
    major, value, position = _head(data, start)
    if major == _TAG:
        raise NotPlain("A tag.")
    if major in (_BYTES, _TEXT):
        position += value
    elif major in (_ARRAY, _MAP):
        if depth == 0:
            raise NotPlain("Nested too deeply.")
        for _item in range(min(value, len(data)) * (2 if major == _MAP else 1)):
            position = item_end(data, position, depth=depth - 1)
    if position > len(data):
        raise NotPlain("Cut off.")
    return position


def check_item(data: bytes) -> None:
    """Check that *data* is exactly one plain item.

    Raises:
        NotPlain: it is not.
    """
    if item_end(data) != len(data):
        raise NotPlain("Trailing bytes.")


def check_authenticator_data(data: bytes) -> None:
    """Check that the items in authenticator data are plain.

    Raises:
        NotPlain: an item is not plain, or bytes are missing or left over.
    """
    if len(data) < _HEADER:
        raise NotPlain("Too short.")
    position = _HEADER
    if data[_FLAGS_AT] & _HAS_CREDENTIAL:
        position = item_end(data, _ID_AT + int.from_bytes(data[_ID_LENGTH_AT:_ID_AT], "big"))
    if data[_FLAGS_AT] & _HAS_EXTENSIONS:
        position = item_end(data, position)
    if position != len(data):
        raise NotPlain("Trailing bytes.")


def _head(data: bytes, start: int) -> tuple[int, int, int]:
    """Return the major type, the value and the position after them."""
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
