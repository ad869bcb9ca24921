"""The changes of an event, split over as many entries as needed. Changes of lists are recorded in full."""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from auth_audit.append import column_values
from auth_audit.append.bounds import LISTS, Bounds, encode_canonical, pointer_token


class Part(NamedTuple):
    """The changes in one entry, and the notes about truncated values."""

    changes: dict[str, Any]
    bounds: Bounds


class _Item(NamedTuple):
    """The smallest unit that is never split over two entries.

    Args:
        field: The changed field.
        key: ``before``, ``after``, ``added`` or ``removed``. ``None`` if the field has no such keys.
        value: The value. For a list, a list with one member, or without members if the list is empty.
    """

    field: str
    key: str | None
    value: Any


def split_changes(changes: Mapping[str, Any]) -> list[Part]:
    """Split *changes* into parts of at most `column_values.LONGEST_JSON` characters. No list member is left out."""
    parts: list[Part] = []
    remaining = 0
    for item in _items(changes):
        stored, notes = _bounded_item(item)
        # Includes the name, the key and the punctuation between them.
        size = len(json.dumps([item.field, item.key, stored])) + 2
        if size > remaining:
            parts.append(Part({}, Bounds()))
            remaining = column_values.LONGEST_JSON
        remaining -= size
        _add_item(parts[-1], item, stored, notes)
    return [_with_one_note(part, changes) if part.bounds.are_too_many else part for part in parts]


def take_personal(part: Part, names: Collection[str]) -> tuple[Part, Part]:
    """Return *part* without the values of the fields *names*, and a part with only those.

    The names stay, with ``None``. A note about all changes belongs to the second part.
    """
    if not names:
        return part, Part({}, Bounds())
    stored = {column_values.text(name, column_values.LONGEST_TEXT) for name in names}
    taken = {field: change for field, change in part.changes.items() if field in stored}
    notes = part.bounds.take(["changes", *(f"changes{pointer_token(field)}" for field in taken)])
    return Part(part.changes | dict.fromkeys(taken), part.bounds), Part(taken, notes)


def merge_parts(parts: Iterable[Part]) -> dict[str, Any]:
    """Return the changes that *parts* contain together."""
    whole = Part({}, Bounds())
    for part in parts:
        for field, change in part.changes.items():
            keyed = change.items() if isinstance(change, dict) and change else [(None, change)]
            for key, value in keyed:
                _add_item(whole, _Item(field, key, value), value, Bounds())
    return whole.changes


def _items(changes: Mapping[str, Any]) -> Iterator[_Item]:
    for name, change in changes.items():
        field = column_values.text(name, column_values.LONGEST_TEXT)
        if not isinstance(change, Mapping) or not change:
            yield _Item(field, None, change)
            continue
        for key, value in _added_and_removed(change).items():
            if not isinstance(value, LISTS) or not value:
                yield _Item(field, str(key), list(value) if isinstance(value, LISTS) else value)
            else:
                yield from (_Item(field, str(key), [member]) for member in value)


def _added_and_removed(change: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the added and removed members of changed lists. A change of order alone keeps both lists."""
    lists = [value for value in change.values() if isinstance(value, LISTS)]
    others = [value for value in change.values() if value is not None and not isinstance(value, LISTS)]
    if not lists or others or not change.keys() <= {"before", "after"}:
        return change
    before, after = list(change.get("before") or ()), list(change.get("after") or ())
    differences = {"added": _difference(after, before), "removed": _difference(before, after)}
    if len(change) > 1 and not any(differences.values()) and before != after:
        return change
    return {key: differences[key] for key, side in (("added", "after"), ("removed", "before")) if side in change}


def _difference(members: list[Any], others: list[Any]) -> list[Any]:
    """Return *members* without those in *others*. A member that occurs twice here and once there remains once."""
    counts = Counter(_key(other) for other in others)
    difference = []
    for member in members:
        key = _key(member)
        if counts[key]:
            counts[key] -= 1
        else:
            difference.append(member)
    return difference


def _key(member: object) -> str:
    """Return a text that is equal for equal members of any type."""
    return "".join(encode_canonical(member))


def _bounded_item(item: _Item) -> tuple[Any, Bounds]:
    """Return the value as it is stored, and the notes about it or about its only member."""
    if item.key is None or not isinstance(item.value, list):
        return _bounded_value(item.value)
    bounded = [_bounded_value(member) for member in item.value]
    return [stored for stored, _notes in bounded], bounded[0][1] if bounded else Bounds()


def _bounded_value(value: object) -> tuple[Any, Bounds]:
    notes = Bounds()
    stored = column_values.json_value(value, notes)
    if not notes.are_too_many and len(json.dumps(stored)) <= column_values.LONGEST_JSON // 2:
        return stored, notes
    notes = Bounds()
    notes.note("", value)
    return column_values.CUT, notes


def _with_one_note(part: Part, changes: Mapping[str, Any]) -> Part:
    """Return *part* with one note about all changes, in place of too many notes."""
    notes = Bounds()
    notes.note("changes", changes)
    return Part(part.changes, notes)


def _add_item(part: Part, item: _Item, stored: object, notes: Bounds) -> None:
    """Add a stored value to *part*, with its notes."""
    pointer = "changes" + pointer_token(item.field)
    if item.key is None:
        part.changes[item.field] = stored
    else:
        pointer += pointer_token(item.key)
        change = part.changes.setdefault(item.field, {})
        if isinstance(stored, list):
            members = change.setdefault(item.key, [])
            pointer += pointer_token(len(members))
            members += stored
        else:
            change[item.key] = stored
    part.bounds.add(notes, pointer)
