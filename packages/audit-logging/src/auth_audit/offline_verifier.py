"""Verify an export of the audit trail, or one proof, without access to the service.

    python verifier.py export.jsonl --key KEYID:BASE64URL [--against checkpoint.json]

This is one file without Django. It needs Python 3.11 and `cryptography`. It trusts no claim
that the export makes about itself: it hashes the entries, computes the roots, and accepts a
checkpoint only if one of the given public keys signed it. Obtain those keys over a channel
other than the export.

Sources: RFC 8785 (canonical JSON), RFC 6962 section 2.1 (hashes and proofs), RFC 9162
section 2.1 (verification of proofs), RFC 8032 (Ed25519).
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

#: Prefix of every signed message, so that a signature made for another purpose is never valid for a checkpoint.
SIGNATURE_PREFIX = b"auth_audit.checkpoint.v1\n"

#: JSON readers disagree about larger integers (RFC 8785 section 3.2.2.3, RFC 7493).
_LARGEST_INTEGER = 2**53 - 1

#: ECMAScript writes a number without an exponent when its decimal point is between these positions.
_MIN_POINT, _MAX_POINT = -6, 21


class NotCanonical(ValueError):
    """A value has no canonical form: a number that readers disagree about, or text that is not valid Unicode."""


class NotGenuine(Exception):
    """A checkpoint is not signed by the key it names, or that key is not trusted."""


# --- Canonical JSON ----------------------------------------------------------


def canonical_json(value: object) -> bytes:
    """Return the canonical JSON of *value* (RFC 8785), in UTF-8.

    Raises:
        NotCanonical: *value* has no canonical form.
    """
    try:
        return _json_text(value).encode()
    except UnicodeEncodeError as error:
        raise NotCanonical("a lone surrogate") from error


def _json_text(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return _number_text(value)
    if isinstance(value, Mapping):
        # Keys are sorted by their UTF-16 code units, as ECMAScript compares strings.
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(f"{_json_text(name)}:{_json_text(member)}" for name, member in members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_json_text, value)) + "]"
    raise NotCanonical(f"a {type(value).__name__}")


def _number_text(value: float) -> str:
    """Return a number as ECMAScript writes it: with the fewest digits that read back as the same number."""
    if isinstance(value, int):
        if abs(value) > _LARGEST_INTEGER:
            raise NotCanonical("a number beyond 2^53")
        return str(value)
    if not isfinite(value):
        raise NotCanonical("not a number")
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    return ("-" if sign else "") + _decimal_text("".join(map(str, digits)), int(exponent))


def _decimal_text(digits: str, exponent: int) -> str:
    """Return the number *digits* * 10^*exponent*, with an exponent if it is very small or very large."""
    point = len(digits) + exponent  # position of the decimal point, counted from the first digit
    if not _MIN_POINT < point <= _MAX_POINT:
        fraction = f".{digits[1:]}" if len(digits) > 1 else ""
        return f"{digits[0]}{fraction}e{point - 1:+d}"
    if exponent >= 0:
        return digits + "0" * exponent
    return f"{digits[:point]}.{digits[point:]}" if point > 0 else f"0.{'0' * -point}{digits}"


# --- The Merkle tree -----------------------------------------------------------


def leaf_hash(data: bytes) -> bytes:
    """Return the leaf hash of one entry (RFC 6962 section 2.1). The prefix keeps leaves and nodes distinct."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of the node above two subtrees (RFC 6962 section 2.1)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass
class Frontier:
    """A tree that grows leaf by leaf and keeps only the roots of its complete subtrees.

    Args:
        size: Number of leaves.
        subtrees: Roots of the complete subtrees, from left to right, the largest first.
    """

    size: int = 0
    subtrees: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> None:
        """Add a leaf hash. Two subtrees of equal size are merged into one."""
        node, remaining = leaf, self.size
        while remaining & 1:
            node = node_hash(self.subtrees.pop(), node)
            remaining >>= 1
        self.subtrees.append(node)
        self.size += 1

    @property
    def root(self) -> bytes:
        """The root hash of all leaves. Without leaves it is the hash of the empty string."""
        if not self.subtrees:
            return sha256().digest()
        *others, root = self.subtrees
        for subtree in reversed(others):
            root = node_hash(subtree, root)
        return root


def root_hash(leaves: Iterable[bytes]) -> bytes:
    """Return the root hash of the tree over *leaves*."""
    tree = Frontier()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root


def is_included(leaf: bytes, number: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Verify an inclusion proof (RFC 9162 section 2.1.3.2).

    Args:
        leaf: The leaf hash.
        number: The index of the leaf, counted from 0.
        size: Number of leaves in the tree.
        path: The hashes of the proof, from the leaf to the root.
        root: The root hash of the tree.
    """
    if not 0 <= number < size:
        return False
    # The names in the RFC are fn, sn and r.
    index, last_index, computed = number, size - 1, leaf
    for sibling in path:
        if last_index == 0:
            return False
        if index & 1 or index == last_index:
            computed = node_hash(sibling, computed)
            while not index & 1 and index:
                index, last_index = index >> 1, last_index >> 1
        else:
            computed = node_hash(computed, sibling)
        index, last_index = index >> 1, last_index >> 1
    return last_index == 0 and computed == root


def is_consistent(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> bool:
    """Verify a consistency proof: the first leaves of the larger tree are those of the smaller (RFC 9162 2.1.4.2).

    Args:
        first: Number of leaves in the smaller tree.
        second: Number of leaves in the larger tree.
        first_root: The root hash of the smaller tree.
        second_root: The root hash of the larger tree.
        path: The hashes of the proof.
    """
    if first == second:
        return not path and first_root == second_root
    if not 0 < first < second or (first & (first - 1) and not path):
        return first == 0 and not path
    hashes = list(path) if first & (first - 1) else [first_root, *path]
    # The names in the RFC are fn, sn, fr and sr.
    index, last_index = first - 1, second - 1
    while index & 1:
        index, last_index = index >> 1, last_index >> 1
    computed_first = computed_second = hashes[0]
    for sibling in hashes[1:]:
        if last_index == 0:
            return False
        if index & 1 or index == last_index:
            computed_first, computed_second = node_hash(sibling, computed_first), node_hash(sibling, computed_second)
            while not index & 1 and index:
                index, last_index = index >> 1, last_index >> 1
        else:
            computed_second = node_hash(computed_second, sibling)
        index, last_index = index >> 1, last_index >> 1
    return last_index == 0 and computed_first == first_root and computed_second == second_root


# --- Checkpoints -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VerifiedCheckpoint:
    """A checkpoint with a valid signature.

    Args:
        size: Number of sealed entries.
        root: The root hash of the tree over them.
        body: The signed JSON object.
    """

    size: int
    root: bytes
    body: Mapping[str, Any]


def verify_checkpoint(signed: Mapping[str, Any], keys: Mapping[str, bytes]) -> VerifiedCheckpoint:
    """Verify the signature of a checkpoint and return its content.

    Args:
        signed: ``{"checkpoint": {…}, "signature": "<base64url>"}``.
        keys: The trusted public keys: key id to 32 bytes.

    Raises:
        NotGenuine: The signature is not valid, or its key is not in *keys*.
    """
    try:
        body = signed["checkpoint"]
        key = Ed25519PublicKey.from_public_bytes(keys[body["signer"]])
        key.verify(from_base64url(signed["signature"]), SIGNATURE_PREFIX + canonical_json(body))
        return VerifiedCheckpoint(int(body["size"]), bytes.fromhex(body["root"]), body)
    except (KeyError, TypeError, ValueError, AttributeError, InvalidSignature) as error:
        raise NotGenuine("The checkpoint is not signed by a trusted key.") from error


def to_base64url(data: bytes) -> str:
    """Return *data* as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Decode base64url without padding.

    Raises:
        ValueError: *text* is not base64url.
    """
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


# --- An export -----------------------------------------------------------------


@dataclass
class Report:
    """The result of verifying an export.

    Args:
        proven: Number of entries whose inclusion proof is valid.
        unsealed: Number of entries without a proof, because they are not sealed yet.
        is_complete: Whether the export claims to contain every sealed entry.
        problems: One line of text for each problem.
    """

    proven: int = 0
    unsealed: int = 0
    is_complete: bool = False
    problems: list[str] = field(default_factory=list)


def verify_export(lines: Iterable[str], keys: Mapping[str, bytes], against: Mapping[str, Any] | None = None) -> Report:
    """Verify an export line by line. The first line is the checkpoint, each other line one entry with its proof.

    Args:
        lines: The lines of the export.
        keys: The trusted public keys: key id to 32 bytes.
        against: A signed checkpoint from another source. It reveals an export of an older or of another trail.
    """
    report, numbered_lines = Report(), enumerate(lines, 1)
    try:
        head = json.loads(next(numbered_lines)[1])
        checkpoint = verify_checkpoint(head["checkpoint"], keys) if head["checkpoint"] else None
        report.is_complete = bool(head["complete"])
    except (StopIteration, ValueError, KeyError, TypeError, NotGenuine):
        report.problems.append("line 1: no checkpoint signed by a trusted key")
        return report
    leaves: dict[int, bytes] = {}
    for line_number, line in numbered_lines:
        proven = _verify_line(line_number, line, checkpoint, report)
        if proven is None:
            continue
        number, leaf = proven
        if number in leaves:
            report.problems.append(f"line {line_number}: number {number} appears twice")
        leaves[number] = leaf
    size = checkpoint.size if checkpoint else 0
    if report.is_complete:
        report.problems += [f"entries {first} to {last} are missing" for first, last in _missing_ranges(leaves, size)]
    if against is not None:
        report.problems += _compare(leaves if report.is_complete else {}, checkpoint, keys, against)
    return report


def _verify_line(
    line_number: int, line: str, checkpoint: VerifiedCheckpoint | None, report: Report
) -> tuple[int, bytes] | None:
    """Verify one line and update *report*. Return the number and the leaf hash of a proven entry."""
    try:
        row = json.loads(line)
        number = row["number"]
        if number is None:
            report.unsealed += 1
            return None
        leaf = leaf_hash(canonical_json(row["entry"]))
        path = [bytes.fromhex(step) for step in row["path"]]
        if checkpoint is None or not is_included(leaf, number, checkpoint.size, path, checkpoint.root):
            report.problems.append(
                f"line {line_number}: entry {row['entry']['id']} (number {number}) does not match the checkpoint"
            )
            return None
    except (ValueError, KeyError, TypeError, AttributeError):
        report.problems.append(f"line {line_number}: not an entry with its proof")
        return None
    report.proven += 1
    return int(number), leaf


def _compare(
    leaves: Mapping[int, bytes],
    checkpoint: VerifiedCheckpoint | None,
    keys: Mapping[str, bytes],
    against: Mapping[str, Any],
) -> list[str]:
    """Compare the export with a checkpoint from another source and return the problems.

    Args:
        leaves: The leaf hashes of a complete export, by number. Empty if the export is not complete.
        checkpoint: The checkpoint of the export.
        keys: The trusted public keys.
        against: The signed checkpoint from the other source.
    """
    try:
        other = verify_checkpoint(against, keys)
    except NotGenuine as problem:
        return [f"the other checkpoint: {problem}"]
    if checkpoint is None or checkpoint.size < other.size:
        size = checkpoint.size if checkpoint else 0
        return [f"truncated: entries {size} to {other.size - 1} were sealed and are missing"]
    mismatch = [f"the first {other.size} entries do not match the other checkpoint"]
    if checkpoint.size == other.size:
        return [] if checkpoint.root == other.root else mismatch
    if not leaves:
        return [
            f"only a complete export, or audit/checkpoints/, proves that the first {other.size} entries are unchanged"
        ]
    return [] if root_hash(leaves.get(number, b"") for number in range(other.size)) == other.root else mismatch


def _missing_ranges(numbers: Container[int], size: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last number of each gap in *numbers*, which should contain 0 to *size* - 1."""
    first = None
    for number in range(size + 1):
        if number < size and number not in numbers:
            first = number if first is None else first
        elif first is not None:
            yield first, number - 1
            first = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Verify the export named on the command line. Return 0 if there are no problems, otherwise 1."""
    parser = argparse.ArgumentParser(description="Verify an export of the audit trail.")
    parser.add_argument("export", type=Path, help="the export, in the JSON lines format")
    parser.add_argument("--key", action="append", required=True, metavar="ID:BASE64URL", help="a trusted public key")
    parser.add_argument("--against", type=Path, help="a checkpoint that was stored elsewhere, as JSON")
    options = parser.parse_args(arguments)
    keys = {key_id: from_base64url(text) for key_id, _colon, text in (key.partition(":") for key in options.key)}
    against = json.loads(options.against.read_text(encoding="utf-8")) if options.against else None
    with options.export.open(encoding="utf-8", newline="\n") as lines:
        report = verify_export(lines, keys, against)
    for problem in report.problems:
        sys.stdout.write(f"{problem}\n")
    sys.stdout.write(
        "complete export: " if report.is_complete else "partial export, missing entries cannot be detected: "
    )
    sys.stdout.write(f"{report.proven} proven, {report.unsealed} not yet sealed, {len(report.problems)} problems\n")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
