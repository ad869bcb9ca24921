"""Values that can be stored: escaped text, JSON of limited size, and one form for each value.

Values from outside reach the trail, such as a user agent or the ``data`` of an event. They must not forge a
line of it or fill it. The database must not refuse them either, because then a stranger could undo a change by
what they send (ASVS 16.4.1).
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from itertools import islice
from math import isfinite
from typing import Any

from auth_audit.append.bounds import CONTAINERS, Bounds, pointer_token

#: Maximum length of a text inside JSON, in characters.
LONGEST_TEXT = 500

#: Maximum length of JSON, in characters. Longer JSON is truncated to a text of `LONGEST_TEXT` characters.
LONGEST_JSON = 16_384

#: Maximum number of members of one object or array, and of levels.
_WIDEST, _DEEPEST = 32, 3

#: Marks where something was truncated.
CUT = "…"

#: JSON readers disagree about numbers from here on, and they have no canonical form (RFC 8785).
_LARGEST_NUMBER = 2**53


def text(value: object, longest: int, bounds: Bounds | None = None, pointer: str = "") -> str:
    """Return *value* with control characters escaped, truncated to *longest* characters.

    Args:
        value: The text.
        longest: Maximum length in characters.
        bounds: Receives a note if the text is truncated. ``None`` means no note.
        pointer: Its JSON Pointer in the entry.
    """
    whole = str(value)
    stored = whole[:longest]
    if not stored.isprintable():
        stored = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in stored)
    if len(whole) <= longest and len(stored) <= longest:
        return stored
    if bounds is not None:
        bounds.note(pointer, whole)
    return stored[: longest - 1] + CUT


@lru_cache(maxsize=1024)
def address(value: str) -> str | None:
    """Return an IP address in canonical form, without a zone, which PostgreSQL cannot store. ``None`` if invalid."""
    try:
        return str(ip_address(value.partition("%")[0]))
    except ValueError:
        return None


def json_object(value: Mapping[str, Any], bounds: Bounds | None = None, pointer: str = "") -> dict[str, Any]:
    """Return *value* in a form that both databases return unchanged, limited in width, depth and length.

    Args:
        value: The object.
        bounds: Receives a note for each truncated value. ``None`` means no notes.
        pointer: The column.
    """
    if not value:
        return {}
    notes = Bounds()
    stored: dict[str, Any] = json_value(value, notes, pointer, depth=_DEEPEST + 1)
    encoded = json.dumps(stored)
    if len(encoded) > LONGEST_JSON or notes.are_too_many:
        notes = Bounds()
        notes.note(pointer, value)
    if bounds is not None:
        bounds.add(notes)
    return stored if len(encoded) <= LONGEST_JSON else {"cut": text(encoded, LONGEST_TEXT)}


def json_value(value: object, bounds: Bounds, pointer: str = "", *, depth: int = _DEEPEST) -> Any:
    """Return *value* in the form that is stored, limited in width and depth.

    Args:
        value: Any value.
        bounds: Receives a note for each truncated value.
        pointer: Its JSON Pointer in the entry.
        depth: How many levels of members are kept.
    """
    if isinstance(value, str):
        return text(value, LONGEST_TEXT, bounds, pointer)
    if isinstance(value, CONTAINERS):
        if depth:
            return _members(value, bounds, pointer, depth - 1)
        bounds.note(pointer, value)
        return CUT
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value, bounds, pointer)
    return text(value, LONGEST_TEXT, bounds, pointer)


def _members(value: Any, bounds: Bounds, pointer: str, depth: int) -> Any:
    is_object = isinstance(value, Mapping)
    if len(value) > _WIDEST or (is_object and any(len(str(key)) > LONGEST_TEXT for key in value)):
        # Two truncated keys may become equal. Then a member is lost without any other note.
        bounds.note(pointer, value)
    if is_object:
        keys = ((text(key, LONGEST_TEXT), member) for key, member in islice(value.items(), _WIDEST))
        return {key: json_value(member, bounds, pointer + pointer_token(key), depth=depth) for key, member in keys}
    members = enumerate(islice(value, _WIDEST))
    return [json_value(member, bounds, pointer + pointer_token(number), depth=depth) for number, member in members]


def _number(value: float, bounds: Bounds, pointer: str) -> int | float | str:
    """Return a number that reads the same from text and from PostgreSQL's ``jsonb``, which writes 1e16 in digits."""
    if isinstance(value, float):
        if not isfinite(value):
            return str(value)
        if not value.is_integer():
            return value
    whole = int(value)
    return whole if abs(whole) < _LARGEST_NUMBER else text(hex(whole), LONGEST_TEXT, bounds, pointer)
