"""What may be stored: text that nothing obeys, JSON of bounded size, one form for each value.

Values from outside reach the trail (a user agent, what a site puts into ``data``): they
must neither forge a line of it, nor fill it, nor be refused by the database, which would
let a stranger undo a change by what they send (ASVS 16.4.1).
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import ip_address
from itertools import islice
from math import isfinite
from typing import Any

from auth_audit.append.bounds import CONTAINERS, Bounds, step

#: Longest text inside JSON, in characters.
LONGEST_TEXT = 500

#: Longest JSON, in characters; what is longer is cut to a text of `LONGEST_TEXT`.
LONGEST_JSON = 16_384

#: Most members of one object or array, and how deep they are looked into.
_WIDEST, _DEEPEST = 32, 3

#: Stands where something was left out.
CUT = "…"

#: From here on readers of JSON disagree about a number, and it has no canonical form (RFC 8785).
_LARGEST_NUMBER = 2**53


def text(value: object, longest: int, bounds: Bounds | None = None, place: str = "") -> str:
    """Return *value* with everything escaped that a log or a terminal would obey, cut to *longest* characters.

    Args:
        bounds: Where it is noted when it was cut; ``None``: nowhere.
        place: Where it stands in the entry.
    """
    whole = str(value)
    kept = whole[:longest]
    if not kept.isprintable():
        kept = "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in kept)
    if len(whole) <= longest and len(kept) <= longest:
        return kept
    if bounds is not None:
        bounds.note(place, whole)
    return kept[: longest - 1] + CUT


@lru_cache(maxsize=1024)
def address(value: str) -> str | None:
    """Return *value* in its one form, without the zone that PostgreSQL's type cannot hold; ``None``: no address."""
    try:
        return str(ip_address(value.partition("%")[0]))
    except ValueError:
        return None


def json_object(value: Mapping[str, Any], bounds: Bounds | None = None, place: str = "") -> dict[str, Any]:
    """Return *value* as it comes back from either database, bounded in width, depth and length.

    Args:
        bounds: Where it is noted what was cut; ``None``: nowhere.
        place: The column.
    """
    if not value:
        return {}
    notes = Bounds()
    kept: dict[str, Any] = json_value(value, notes, place, depth=_DEEPEST + 1)
    encoded = json.dumps(kept)
    if len(encoded) > LONGEST_JSON or notes.are_too_many:
        notes = Bounds()
        notes.note(place, value)
    if bounds is not None:
        bounds.add(notes)
    return kept if len(encoded) <= LONGEST_JSON else {"cut": text(encoded, LONGEST_TEXT)}


def json_value(value: Any, bounds: Bounds, place: str = "", *, depth: int = _DEEPEST) -> Any:
    """Return *value* in the one form that it has in an entry, bounded in width and depth.

    Args:
        bounds: Where it is noted what was cut.
        place: Where it stands in the entry.
        depth: How deep its members are looked into.
    """
    if isinstance(value, str):
        return text(value, LONGEST_TEXT, bounds, place)
    if isinstance(value, CONTAINERS):
        if depth:
            return _members(value, bounds, place, depth - 1)
        bounds.note(place, value)
        return CUT
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value, bounds, place)
    return text(value, LONGEST_TEXT, bounds, place)


def _members(value: Any, bounds: Bounds, place: str, depth: int) -> Any:
    is_object = isinstance(value, Mapping)
    if len(value) > _WIDEST or (is_object and any(len(str(key)) > LONGEST_TEXT for key in value)):
        # Two keys that are cut may become one: then a member is gone that no other place names.
        bounds.note(place, value)
    if is_object:
        keys = ((text(key, LONGEST_TEXT), member) for key, member in islice(value.items(), _WIDEST))
        return {key: json_value(member, bounds, place + step(key), depth=depth) for key, member in keys}
    members = enumerate(islice(value, _WIDEST))
    return [json_value(member, bounds, place + step(number), depth=depth) for number, member in members]


def _number(value: float, bounds: Bounds, place: str) -> int | float | str:
    """Return a number that reads the same from a text and from PostgreSQL's ``jsonb``, which writes 1e16 in digits."""
    if isinstance(value, float):
        if not isfinite(value):
            return str(value)
        if not value.is_integer():
            return value
    whole = int(value)
    return whole if abs(whole) < _LARGEST_NUMBER else text(hex(whole), LONGEST_TEXT, bounds, place)
