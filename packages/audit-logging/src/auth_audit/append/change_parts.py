"""What an event changed, in as many parts as entries need: of lists what was added and removed, in full."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from auth_audit.append import column_values
from auth_audit.append.bounds import LISTS, Bounds, encoded, step


class Part(NamedTuple):
    """What one entry says of the changes, and what its bounds left out."""

    changes: dict[str, Any]
    bounds: Bounds


class _Piece(NamedTuple):
    """The smallest thing that stands in one entry whole.

    Args:
        key: ``before``, ``after``, ``added`` or ``removed``; ``None``: the field has no such keys.
        value: A value; of a list a list with one member, or with none for one that is empty.
    """

    field: str
    key: str | None
    value: Any


def parts_of(changes: Mapping[str, Any]) -> list[Part]:
    """Return *changes* in parts of at most `storable.LONGEST_JSON` characters; no member of a list is left out."""
    parts: list[Part] = []
    left = 0
    for piece in _pieces(changes):
        kept, notes = _bounded(piece)
        # With the name, the key, and the punctuation between them.
        size = len(json.dumps([piece.field, piece.key, kept])) + 2
        if size > left:
            parts.append(Part({}, Bounds()))
            left = column_values.LONGEST_JSON
        left -= size
        _put(parts[-1], piece, kept, notes)
    return [_noted_whole(part, changes) if part.bounds.are_too_many else part for part in parts]


def merged(parts: Iterable[Part]) -> dict[str, Any]:
    """Return the changes that *parts* make together."""
    whole = Part({}, Bounds())
    for part in parts:
        for field, change in part.changes.items():
            keyed = change.items() if isinstance(change, dict) and change else [(None, change)]
            for key, value in keyed:
                _put(whole, _Piece(field, key, value), value, Bounds())
    return whole.changes


def _pieces(changes: Mapping[str, Any]) -> Iterator[_Piece]:
    for name, change in changes.items():
        field = column_values.text(name, column_values.LONGEST_TEXT)
        if not isinstance(change, Mapping) or not change:
            yield _Piece(field, None, change)
            continue
        for key, value in _added_and_removed(change).items():
            if not isinstance(value, LISTS) or not value:
                yield _Piece(field, str(key), list(value) if isinstance(value, LISTS) else value)
            else:
                yield from (_Piece(field, str(key), [member]) for member in value)


def _added_and_removed(change: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what came and what went, where lists were changed; two that differ in their order alone stay whole."""
    lists = [value for value in change.values() if isinstance(value, LISTS)]
    others = [value for value in change.values() if value is not None and not isinstance(value, LISTS)]
    if not lists or others or not change.keys() <= {"before", "after"}:
        return change
    before, after = list(change.get("before") or ()), list(change.get("after") or ())
    found = {"added": _without(after, before), "removed": _without(before, after)}
    if len(change) > 1 and not any(found.values()) and before != after:
        return change
    return {key: found[key] for key, side in (("added", "after"), ("removed", "before")) if side in change}


def _without(members: list[Any], others: list[Any]) -> list[Any]:
    """Return those of *members* that are not among *others*; what stands twice in one and once in the other is left."""
    counted = Counter(_key(other) for other in others)
    left = []
    for member in members:
        key = _key(member)
        if counted[key]:
            counted[key] -= 1
        else:
            left.append(member)
    return left


def _key(member: Any) -> str:
    """Return what two members have in common that are the same, whatever they are made of."""
    return "".join(encoded(member))


def _bounded(piece: _Piece) -> tuple[Any, Bounds]:
    """Return the value as an entry keeps it, and what was cut of it or of the one member that it has."""
    if piece.key is None or not isinstance(piece.value, list):
        return _bounded_value(piece.value)
    bounded = [_bounded_value(member) for member in piece.value]
    return [kept for kept, _notes in bounded], bounded[0][1] if bounded else Bounds()


def _bounded_value(value: Any) -> tuple[Any, Bounds]:
    notes = Bounds()
    kept = column_values.json_value(value, notes)
    if not notes.are_too_many and len(json.dumps(kept)) <= column_values.LONGEST_JSON // 2:
        return kept, notes
    notes = Bounds()
    notes.note("", value)
    return column_values.CUT, notes


def _noted_whole(part: Part, changes: Mapping[str, Any]) -> Part:
    """Return *part* with one note about all changes, in the place of too many about some of them."""
    notes = Bounds()
    notes.note("changes", changes)
    return Part(part.changes, notes)


def _put(part: Part, piece: _Piece, kept: Any, notes: Bounds) -> None:
    """Add what was kept of *piece* to *part*, and the notes under the place where it stands there."""
    place = "changes" + step(piece.field)
    if piece.key is None:
        part.changes[piece.field] = kept
    else:
        place += step(piece.key)
        change = part.changes.setdefault(piece.field, {})
        if isinstance(kept, list):
            members = change.setdefault(piece.key, [])
            place += step(len(members))
            members += kept
        else:
            change[piece.key] = kept
    part.bounds.add(notes, place)
