"""The record of what was truncated in an entry: for each value its length and the digest of the whole.

These notes are stored in a column of their own, so that no text from outside can imitate one.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

#: Maximum number of characters of the notes. One note about the whole column replaces more.
_MAX_NOTES = 8_192

#: Characters of a note without its pointer: the digest, the length and their names.
_NOTE_SIZE = 100

#: Types with unnamed members.
LISTS = (list, tuple, set, frozenset)

#: Types with members. The check for a `Mapping`, which may be any class, is the slowest and comes last.
CONTAINERS = (*LISTS, Mapping)


class _Fragment(NamedTuple):
    """A text that is already encoded. *closes* is the id of the container that ends with it."""

    text: str
    closes: int = 0


class Bounds:
    """Collects the notes about one entry."""

    def __init__(self) -> None:
        self._cut: dict[str, dict[str, Any]] = {}
        self._characters = 0

    @property
    def are_too_many(self) -> bool:
        """Whether the notes exceed their maximum length."""
        return self._characters > _MAX_NOTES

    def note(self, pointer: str, whole: object) -> None:
        """Note that a value was truncated.

        Args:
            pointer: The column, and inside JSON the path to the value (RFC 6901, without the first slash).
            whole: The full value.
        """
        self._characters += len(pointer) + _NOTE_SIZE
        if not self.are_too_many:
            length = len(whole) if isinstance(whole, (str, *CONTAINERS)) else len(_scalar_json(whole))
            self._cut[pointer] = {"length": length, "sha256": digest_of(whole)}

    def note_digest(self, pointer: str, length: int, digest: str) -> None:
        """Note that a value was truncated earlier."""
        self._cut[pointer] = {"length": length, "sha256": digest}

    def add(self, notes: "Bounds", pointer: str = "") -> None:
        """Add all *notes*. Their pointers are relative to *pointer*."""
        self._characters += notes._characters + len(notes._cut) * len(pointer)  # noqa: SLF001 - same class
        self._cut |= {pointer + name: note for name, note in notes._cut.items()}  # noqa: SLF001 - same class

    def take(self, pointers: Collection[str]) -> "Bounds":
        """Remove the notes about these places and everything in them. Return them."""
        taken = Bounds()
        inside = tuple(f"{pointer}/" for pointer in pointers)
        for name in [name for name in self._cut if name in pointers or name.startswith(inside)]:
            taken._cut[name] = self._cut.pop(name)
        return taken

    def to_json(self, **more: Any) -> dict[str, Any] | None:
        """Return the value of the column: the notes and *more*. ``None`` if both are empty."""
        return ({"cut": self._cut} if self._cut else {}) | more or None


def pointer_token(name: object) -> str:
    """Return *name* as a step of a JSON Pointer (RFC 6901 section 3)."""
    return "/" + str(name).replace("~", "~0").replace("/", "~1")


def digest_of(whole: object) -> str:
    """Return the SHA-256 of a text, or of the canonical JSON of any other value, in hex.

    It has no recursion and no limit on depth or length, because it describes values that exceed the limits.
    """
    digest = sha256()
    for text in [whole] if isinstance(whole, str) else encode_canonical(whole):
        # A lone surrogate cannot be encoded in UTF-8.
        digest.update(text.encode(errors="surrogatepass"))
    return digest.hexdigest()


def encode_canonical(value: object) -> Iterator[str]:
    """Yield the canonical JSON of *value* in chunks: sorted keys, no spaces. Other types become text.

    A container inside itself becomes ``null``.
    """
    waiting: list[Any] = [value]
    # The containers are kept, because the id of a deleted object may be reused.
    open_containers: dict[int, Any] = {}
    while waiting:
        item = waiting.pop()
        if isinstance(item, _Fragment):
            open_containers.pop(item.closes, None)
            yield item.text
        elif not isinstance(item, CONTAINERS):
            yield _scalar_json(item)
        elif id(item) in open_containers:
            yield "null"
        else:
            open_containers[id(item)] = item
            waiting += reversed(list(_contents(item)))


def _contents(container: Collection[Any]) -> Iterator[Any]:
    """Yield the members of a container, and the punctuation between them."""
    is_object = isinstance(container, Mapping)
    yield _Fragment("{" if is_object else "[")
    for number, (name, member) in enumerate(_members(container)):
        yield _Fragment(("," if number else "") + (f"{json.dumps(name)}:" if is_object else ""))
        yield member
    yield _Fragment("}" if is_object else "]", closes=id(container))


def _members(container: Collection[Any]) -> list[tuple[str, Any]]:
    if isinstance(container, Mapping):
        return sorted(((str(name), member) for name, member in container.items()), key=lambda member: member[0])
    if isinstance(container, set | frozenset):
        return [("", member) for member in sorted(container, key=lambda member: "".join(encode_canonical(member)))]
    return [("", member) for member in container]


def _scalar_json(value: object) -> str:
    """Return the JSON of a value without members. An integer too long to print is written in hexadecimal."""
    if isinstance(value, int) and not isinstance(value, bool) and value.bit_length() > 64:  # noqa: PLR2004 - bits
        return json.dumps(hex(value))
    return json.dumps(value if value is None or isinstance(value, bool | int | float) else str(value))
