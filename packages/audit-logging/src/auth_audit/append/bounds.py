"""What the bounds of an entry left out: of each value that was cut, its length and the digest of the whole.

The notes stand in a column of their own, where no text from outside can pretend to be one.
"""

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

#: Most characters that the notes about one column take. Beyond it one note about the whole column replaces them.
_LONGEST_NOTES = 8_192

#: Characters of a note besides its place: the digest, the length and their names.
_NOTE = 100

#: What has members without names.
LISTS = (list, tuple, set, frozenset)

#: What has members. Asking for a `Mapping`, which may be any class, costs most and comes last.
CONTAINERS = (*LISTS, Mapping)


class _Encoded(NamedTuple):
    """A text that is part of the encoded value already; *closes* names the container that ends with it."""

    text: str
    closes: int = 0


class Bounds:
    """Collects the notes about one entry."""

    def __init__(self) -> None:
        self._cut: dict[str, dict[str, Any]] = {}
        self._characters = 0

    @property
    def are_too_many(self) -> bool:
        """Whether the notes would take more characters than they may."""
        return self._characters > _LONGEST_NOTES

    def note(self, place: str, whole: Any) -> None:
        """Say that the value at *place* was cut.

        Args:
            place: The column, and inside JSON the names and numbers that lead on (RFC 6901, without the first slash).
            whole: The value as it was.
        """
        self._characters += len(place) + _NOTE
        if not self.are_too_many:
            length = len(whole) if isinstance(whole, (str, *CONTAINERS)) else len(_scalar(whole))
            self._cut[place] = {"length": length, "sha256": digest_of(whole)}

    def take(self, place: str, length: int, digest: str) -> None:
        """Say that the value at *place* was cut before it came here."""
        self._cut[place] = {"length": length, "sha256": digest}

    def add(self, notes: "Bounds", place: str = "") -> None:
        """Take over *notes*, whose places begin at *place*."""
        self._characters += notes._characters + len(notes._cut) * len(place)  # noqa: SLF001 - of the same class
        self._cut |= {place + name: note for name, note in notes._cut.items()}  # noqa: SLF001 - as above

    def to_json(self, **more: Any) -> dict[str, Any] | None:
        """Return what the column holds: the notes and *more*; ``None``: nothing was cut and there is nothing more."""
        return ({"cut": self._cut} if self._cut else {}) | more or None


def step(name: object) -> str:
    """Return how *name* continues a place (RFC 6901 section 3)."""
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


def digest_of(whole: Any) -> str:
    """Return the SHA-256 of a text, or of the canonical JSON of anything else, in hex.

    Without recursion and without a bound on depth or length: this is what is said of values that exceed the bounds.
    """
    made = sha256()
    for text in [whole] if isinstance(whole, str) else encoded(whole):
        # A lone surrogate has no form in UTF-8.
        made.update(text.encode(errors="surrogatepass"))
    return made.hexdigest()


def encoded(value: Any) -> Iterator[str]:
    """Yield the canonical JSON of *value* in pieces: sorted keys, no spaces; what has no JSON is its text.

    A container inside itself is left out.
    """
    waiting: list[Any] = [value]
    # The containers themselves: the id of one that is gone could be that of another.
    opened: dict[int, Any] = {}
    while waiting:
        one = waiting.pop()
        if isinstance(one, _Encoded):
            opened.pop(one.closes, None)
            yield one.text
        elif not isinstance(one, CONTAINERS):
            yield _scalar(one)
        elif id(one) in opened:
            yield "null"
        else:
            opened[id(one)] = one
            waiting += reversed(list(_opened(one)))


def _opened(container: Any) -> Iterator[Any]:
    """Yield what a container consists of: its members, and the texts between them."""
    is_object = isinstance(container, Mapping)
    yield _Encoded("{" if is_object else "[")
    for number, (name, member) in enumerate(_members(container)):
        yield _Encoded(("," if number else "") + (f"{json.dumps(name)}:" if is_object else ""))
        yield member
    yield _Encoded("}" if is_object else "]", closes=id(container))


def _members(container: Any) -> list[tuple[str, Any]]:
    if isinstance(container, Mapping):
        return sorted(((str(name), member) for name, member in container.items()), key=lambda member: member[0])
    if isinstance(container, set | frozenset):
        return [("", member) for member in sorted(container, key=lambda member: "".join(encoded(member)))]
    return [("", member) for member in container]


def _scalar(value: Any) -> str:
    """Return the JSON of what has no members; of a number with more digits than Python writes, the hexadecimal one."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 64:  # noqa: PLR2004 - bits
        return json.dumps(hex(value))
    return json.dumps(value if value is None or isinstance(value, bool | int | float) else str(value))
