"""Check an export of the trail, or a proof, away from the service: one file, without Django.

    python verifier.py export.jsonl --key KEYID:BASE64URL [--against checkpoint.json]

Needs Python 3.11 and `cryptography`. It believes nothing that the export says about
itself: entries are hashed here, proofs are computed here, and the checkpoint must be
signed with a key that the reader was given by another way.

Sources: RFC 8785 (canonical JSON), RFC 6962 section 2.1 (hashes and proofs), RFC 9162
section 2.1 (how proofs are checked), RFC 8032 (Ed25519).
"""

import argparse
import base64
import json
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from math import isfinite
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

#: Stands before what is signed: a signature over something else can never be taken for a checkpoint's.
SIGNED_AS = b"auth_audit.checkpoint.v1\n"

#: Beyond it two readers of JSON see two numbers (RFC 8785 section 3.2.2.3, RFC 7493).
_LARGEST_INTEGER = 2**53 - 1

#: Between these powers of ten ECMAScript writes a number without exponent.
_PLAIN_FROM, _PLAIN_TO = -6, 21


class NotCanonical(ValueError):
    """A value has no canonical form: a number that readers disagree about, or text that is no Unicode."""


class NotGenuine(Exception):
    """A checkpoint is not signed by the key it names, or that key is not one we believe."""


# --- Canonical JSON ----------------------------------------------------------


def canonical(value: Any) -> bytes:
    """Return the one way in which *value* is written (RFC 8785), in UTF-8.

    Raises:
        NotCanonical: it cannot be.
    """
    try:
        return _written(value).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a lone surrogate") from error


def _written(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Mapping):
        # Keys sort by their UTF-16 code units, as ECMAScript compares text.
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(f"{_written(name)}:{_written(member)}" for name, member in members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_written, value)) + "]"
    raise NotCanonical(f"a {type(value).__name__}")


def _number(value: float) -> str:
    """Write a number as ECMAScript does: the shortest digits that read back, few zeros, then an exponent."""
    if isinstance(value, int):
        if abs(value) > _LARGEST_INTEGER:
            raise NotCanonical("a number beyond 2^53")
        return str(value)
    if not isfinite(value):
        raise NotCanonical("not a number")
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    return ("-" if sign else "") + _placed("".join(map(str, digits)), int(exponent))


def _placed(digits: str, exponent: int) -> str:
    point = len(digits) + exponent  # where the decimal point is, counted from the first digit
    if not _PLAIN_FROM < point <= _PLAIN_TO:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{digits[0]}{fraction}e{point - 1:+d}"
    if exponent >= 0:
        return digits + "0" * exponent
    return f"{digits[:point]}.{digits[point:]}" if point > 0 else f"0.{'0' * -point}{digits}"


# --- The tree ------------------------------------------------------------------


def leaf_of(data: bytes) -> bytes:
    """Return the hash of one entry's bytes (RFC 6962 section 2.1); the prefix keeps leaves and nodes apart."""
    return sha256(b"\x00" + data).digest()


def node_of(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees."""
    return sha256(b"\x01" + left + right).digest()


@dataclass
class Frontier:
    """The right edge of a tree that grows leaf by leaf: all that is needed to know its root."""

    size: int = 0
    edges: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Add a leaf; subtrees of equal size become one."""
        complete = self.size
        while complete & 1:
            leaf = node_of(self.edges.pop(), leaf)
            complete >>= 1
        self.edges.append(leaf)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root of what was added so far; of nothing, the hash of nothing."""
        if not self.edges:
            return sha256().digest()
        *rest, root = self.edges
        for edge in reversed(rest):
            root = node_of(edge, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Return the root over *leaves*."""
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root


def is_included(leaf: bytes, number: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Say whether *path* leads from the leaf at *number* to the *root* of a tree of *size* (RFC 9162 2.1.3.2)."""
    if not 0 <= number < size:
        return False
    place, last, reached = number, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            reached = node_of(step, reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = node_of(reached, step)
        place, last = place >> 1, last >> 1
    return last == 0 and reached == root


def is_consistent(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Say whether the tree of size *second* begins with that of size *first* (RFC 9162 2.1.4.2)."""
    if first == second:
        return not path and first_root == second_root
    if not 0 < first < second or (first & (first - 1) and not path):
        return first == 0 and not path
    steps = list(path) if first & (first - 1) else [first_root, *path]
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_of(step, old), node_of(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_of(new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


# --- Checkpoints -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """A checkpoint whose signature is good: so many entries, under this root."""

    size: int
    root: bytes
    body: Mapping[str, Any]


def check_checkpoint(signed: Mapping[str, Any], keys: Mapping[str, bytes]) -> Checked:
    """Return what a checkpoint says, once its signature is checked.

    Args:
        signed: ``{"checkpoint": {…}, "signature": "<base64url>"}``.
        keys: Key ids to the 32 bytes of public keys that the reader believes.

    Raises:
        NotGenuine: it is not what one of *keys* has signed.
    """
    try:
        body = signed["checkpoint"]
        key = Ed25519PublicKey.from_public_bytes(keys[body["signer"]])
        key.verify(from_text(signed["signature"]), SIGNED_AS + canonical(body))
        return Checked(int(body["size"]), bytes.fromhex(body["root"]), body)
    except (KeyError, TypeError, ValueError, AttributeError, InvalidSignature) as error:
        raise NotGenuine("The checkpoint is not signed with a key that is believed.") from error


def to_text(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_text(text: str) -> bytes:
    """Return the bytes of base64url.

    Raises:
        ValueError: it is something else.
    """
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


# --- An export -----------------------------------------------------------------


@dataclass
class Report:
    """What was found in an export."""

    proven: int = 0
    unsealed: int = 0
    is_complete: bool = False
    problems: list[str] = field(default_factory=list)


def check_export(lines: Iterable[str], keys: Mapping[str, bytes], against: Mapping[str, Any] | None = None) -> Report:
    """Check an export line by line; the first line carries the checkpoint that all proofs lead to.

    Args:
        against: A checkpoint of another source; an export of an older or another trail does not fit it.
    """
    report, numbered = Report(), enumerate(lines, 1)
    try:
        head = json.loads(next(numbered)[1])
        checkpoint = check_checkpoint(head["checkpoint"], keys) if head["checkpoint"] else None
        report.is_complete = bool(head["complete"])
    except (StopIteration, ValueError, KeyError, TypeError, NotGenuine):
        report.problems.append("line 1: no checkpoint that is signed with a key that is believed")
        return report
    leaves: dict[int, bytes] = {}
    for line, text in numbered:
        found = _checked_entry(line, text, checkpoint, report)
        if found is None:
            continue
        number, leaf = found
        if number in leaves:
            report.problems.append(f"line {line}: number {number} stands twice")
        leaves[number] = leaf
    size = checkpoint.size if checkpoint else 0
    if report.is_complete:
        report.problems += [f"entries {first} to {last} are missing" for first, last in _gaps(leaves, size)]
    if against is not None:
        report.problems += _differences(leaves if report.is_complete else {}, checkpoint, keys, against)
    return report


def _checked_entry(line: int, text: str, checkpoint: Checked | None, report: Report) -> tuple[int, bytes] | None:
    """Check one line; return the number and the leaf of the entry that it proves."""
    try:
        told = json.loads(text)
        number = told["number"]
        if number is None:
            report.unsealed += 1
            return None
        leaf = leaf_of(canonical(told["entry"]))
        path = [bytes.fromhex(step) for step in told["path"]]
        if checkpoint is None or not is_included(leaf, number, checkpoint.size, path, checkpoint.root):
            report.problems.append(f"line {line}: entry {told['entry']['id']} (number {number}) is not what was sealed")
            return None
    except (ValueError, KeyError, TypeError, AttributeError):
        report.problems.append(f"line {line}: not an entry with its proof")
        return None
    report.proven += 1
    return int(number), leaf


def _differences(
    leaves: Mapping[int, bytes], checkpoint: Checked | None, keys: Mapping[str, bytes], against: Mapping[str, Any]
) -> list[str]:
    """Compare the export with a checkpoint from elsewhere; *leaves* are all there are, or none if it is not complete."""
    try:
        other = check_checkpoint(against, keys)
    except NotGenuine as problem:
        return [f"the other checkpoint: {problem}"]
    if checkpoint is None or checkpoint.size < other.size:
        size = checkpoint.size if checkpoint else 0
        return [f"truncated: entries {size} to {other.size - 1} were sealed and are gone"]
    changed = [f"the first {other.size} entries are not those that were sealed"]
    if checkpoint.size == other.size:
        return [] if checkpoint.root == other.root else changed
    if not leaves:
        return [f"only a complete export, or audit/checkpoints/, shows that it contains the first {other.size} entries"]
    return [] if root_of(leaves.get(number, b"") for number in range(other.size)) == other.root else changed


def _gaps(seen: Container[int], size: int) -> Iterator[tuple[int, int]]:
    first = None
    for number in range(size + 1):
        if number < size and number not in seen:
            first = number if first is None else first
        elif first is not None:
            yield first, number - 1
            first = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the export that the command line names; 0: all is well."""
    parser = argparse.ArgumentParser(description="Check an export of the audit trail.")
    parser.add_argument("export", type=Path, help="JSON lines, as exported")
    parser.add_argument("--key", action="append", required=True, metavar="ID:BASE64URL", help="a public key to believe")
    parser.add_argument("--against", type=Path, help="a checkpoint that was kept elsewhere")
    given = parser.parse_args(arguments)
    keys = {key_id: from_text(text) for key_id, _colon, text in (key.partition(":") for key in given.key)}
    against = json.loads(given.against.read_text(encoding="utf-8")) if given.against else None
    with given.export.open(encoding="utf-8", newline="\n") as lines:
        report = check_export(lines, keys, against)
    for problem in report.problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(
        "a complete export: " if report.is_complete else "a selection, of which nobody knows what it lacks: "
    )
    sys.stdout.write(f"{report.proven} proven, {report.unsealed} not yet sealed, {len(report.problems)} problems\n")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
