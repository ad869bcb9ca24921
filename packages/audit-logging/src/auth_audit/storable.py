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

#: Longest text inside JSON, in characters.
LONGEST_TEXT = 500

#: Longest JSON, in characters; what is longer is cut to a text of `LONGEST_TEXT`.
LONGEST_JSON = 16_384

#: Most members of one object or array, and how deep they are looked into.
_WIDEST, _DEEPEST = 32, 3

#: What has members; asking for a `Mapping`, which may be anybody's class, costs most and comes last.
_CONTAINERS = (list, tuple, set, frozenset, Mapping)

#: Stands where something was left out.
_CUT = "…"

#: From here on readers of JSON disagree about a number, and it has no canonical form (RFC 8785).
_LARGEST_NUMBER = 2**53


def text(value: object, longest: int) -> str:
    """Return *value* with everything escaped that a log or a terminal would obey, cut to *longest* characters."""
    kept = str(value)[:longest]
    if kept.isprintable():
        return kept
    return "".join(letter if letter.isprintable() else f"\\u{ord(letter):04x}" for letter in kept)[:longest]


@lru_cache(maxsize=1024)
def address(value: str) -> str | None:
    """Return *value* in its one form, without the zone that PostgreSQL's type cannot hold; ``None``: no address."""
    try:
        return str(ip_address(value.partition("%")[0]))
    except ValueError:
        return None


def json_object(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return *value* as it comes back from either database, bounded in width, depth and length."""
    if not value:
        return {}
    kept = {text(key, LONGEST_TEXT): _json(member, _DEEPEST) for key, member in islice(value.items(), _WIDEST)}
    encoded = json.dumps(kept)
    return kept if len(encoded) <= LONGEST_JSON else {"cut": text(encoded, LONGEST_TEXT)}


def _json(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return text(value, LONGEST_TEXT)
    if isinstance(value, _CONTAINERS):
        return _members(value, depth) if depth else _CUT
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    return text(value, LONGEST_TEXT)


def _members(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        members = islice(value.items(), _WIDEST)
        return {text(key, LONGEST_TEXT): _json(member, depth - 1) for key, member in members}
    return [_json(member, depth - 1) for member in islice(value, _WIDEST)]


def _number(value: float) -> int | float | str:
    """Return a number that reads the same from a text and from PostgreSQL's ``jsonb``, which writes 1e16 in digits."""
    if isinstance(value, float):
        if not isfinite(value):
            return str(value)
        if not value.is_integer():
            return value
    whole = int(value)
    return whole if abs(whole) < _LARGEST_NUMBER else text(hex(whole), LONGEST_TEXT)
