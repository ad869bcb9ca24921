"""Verification of the whole trail, or of a range.

Every entry is hashed again and compared with what was signed. An attacker with the database can change entries
and every hash that needs no key, but can neither make a MAC nor sign. So a changed entry is named by its MAC
and its seal. If the seals were changed to match, the signed checkpoint names the range.

Two attacks leave a consistent trail: removing the newest entries with their seals and checkpoints, and
restoring an older backup. Only a checkpoint that was stored elsewhere reveals them.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from django.db import router

from auth_audit.append import macs
from auth_audit.models import AuditEntry, Checkpoint, Seal
from auth_audit.offline_verifier import Frontier, NotGenuine, VerifiedCheckpoint, root_hash, verify_checkpoint
from auth_audit.personal.readable_entry import ReadableEntry, read
from auth_audit.seal import checkpoints, keys, leaves
from auth_audit.seal.sealer import unsealed
from auth_audit.seal.transaction_horizon import current_horizon
from auth_audit.verify.findings import Tampering, Verification
from auth_audit.verify.personal_verification import verify_personal
from auth_audit.verify.tree_verification import NodeVerifier

#: Entries read at a time.
_CHUNK = 1000


def verify(
    *, first: int = 0, last: int | None = None, against: Iterable[Mapping[str, Any]] = (), alias: str = ""
) -> Verification:
    """Verify the trail.

    Args:
        first: Number of the first entry. Every batch that overlaps the range is verified as a whole.
        last: Number of the last entry. ``None`` means all, including unsealed entries.
        against: Checkpoints that were stored elsewhere. They apply only to the whole trail.
        alias: The database. Empty means the one that entries are read from.

    Raises:
        KeysMissing: There are no keys to verify with.
    """
    run, result = _VerificationRun(alias or router.db_for_read(AuditEntry)), Verification()
    run.is_whole = (first, last) == (0, None)
    if run.is_whole:
        run.external = _trusted_checkpoints(against, run, result)
    for segment in _segments(run, result):
        if segment.end > first and (last is None or segment.first <= last):
            _verify_segment(run, segment, result)
    if run.is_whole:
        _verify_end(run, result)
        _verify_unsealed(run, result)
    return result


class _Segment(NamedTuple):
    """The numbers from *first* to before *end*, with what was signed for them.

    Args:
        first: The first number.
        end: The number after the last.
        root: The root hash over these entries alone. Empty without a genuine checkpoint.
        tree: The root hash over all entries up to *end*. Empty without a genuine checkpoint.
    """

    first: int
    end: int
    root: str = ""
    tree: str = ""


class _SealedEntry(NamedTuple):
    """An entry with its seal."""

    entry: AuditEntry
    seal: Seal


class _VerificationRun:
    """The state of a verification: the tree computed so far, and what it is compared with."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.keys = keys.trusted_keys()
        self.tree = Frontier()
        self.nodes = NodeVerifier(alias)
        self.last: VerifiedCheckpoint | None = None
        self.external: list[VerifiedCheckpoint] = []
        self.is_whole = True
        self.confirmed = 0  # number of entries confirmed by a checkpoint stored elsewhere

    def append(self, leaf: bytes, result: Verification) -> None:
        """Add a leaf hash to the tree. A verification of a range has no tree."""
        if not self.is_whole:
            return
        self.tree.append(leaf)
        self.nodes.append(leaf, result)
        while self.external and self.external[0].size == self.tree.size:
            other = self.external.pop(0)
            if self.tree.root == other.root:
                self.confirmed = other.size
            else:
                why = "they do not match a checkpoint stored elsewhere. They were replaced, or an older backup was restored"
                result.add_finding(Tampering.CHANGED, why, first=self.confirmed, last=other.size - 1)


def _trusted_checkpoints(
    against: Iterable[Mapping[str, Any]], run: _VerificationRun, result: Verification
) -> list[VerifiedCheckpoint]:
    verified = []
    for signed in against:
        try:
            verified.append(verify_checkpoint(signed, run.keys))
        except NotGenuine as error:
            result.add_finding(Tampering.CHANGED, f"a checkpoint stored elsewhere: {error}")
    return sorted(verified, key=lambda checkpoint: checkpoint.size)


def _segments(run: _VerificationRun, result: Verification) -> Iterator[_Segment]:
    """Yield the range of each genuine checkpoint in order, and the ranges that none covers."""
    covered = 0
    for checkpoint in Checkpoint.objects.using(run.alias).order_by("size").iterator(chunk_size=_CHUNK):
        try:
            verified = checkpoints.verify(checkpoint, run.keys)
        except NotGenuine as error:
            result.add_finding(Tampering.CHANGED, f"checkpoint {checkpoint.size}: {error}", first=covered)
            continue
        previous = verified.body["previous"]
        if previous != covered:
            result.add_finding(Tampering.REMOVED, "no genuine checkpoint covers them", first=covered, last=previous - 1)
            yield _Segment(covered, previous)
        run.last, covered = verified, verified.size
        yield _Segment(previous, covered, verified.body["batch"], verified.body["root"])
    newest = Seal.objects.using(run.alias).order_by("-number").first()
    if newest is not None and newest.number >= covered:
        why = "no genuine checkpoint covers their seals"
        result.add_finding(Tampering.INSERTED, why, first=covered, last=newest.number)
        yield _Segment(covered, newest.number + 1)


def _verify_segment(run: _VerificationRun, segment: _Segment, result: Verification) -> None:
    """Compare each entry with its seal, and the seals with the signed root."""
    before = len(result.findings)
    batch: list[tuple[Seal, AuditEntry | None]] = []
    for low in range(segment.first, segment.end, _CHUNK):
        seals = _seals(run, low, min(low + _CHUNK, segment.end), result)
        entries = _entries(run, [seal.entry_id for seal in seals])
        readable = read(entries.values(), run.alias)
        for seal in seals:
            _verify_entry(seal, readable.get(seal.entry_id), result)
            run.append(bytes(seal.leaf), result)
            batch.append((seal, entries.get(seal.entry_id)))
    result.sealed += len(batch)
    if segment.root and root_hash(bytes(seal.leaf) for seal, _entry in batch).hex() != segment.root:
        _explain_batch(batch, segment, result, is_named=len(result.findings) > before)
    elif segment.tree and run.is_whole and not result.findings and run.tree.root.hex() != segment.tree:
        # A genuine batch of another trail, or of another time, has replaced ours.
        why = "each batch is signed, but not as part of this trail"
        result.add_finding(Tampering.CHANGED, why, first=0, last=segment.end - 1)


def _seals(run: _VerificationRun, low: int, high: int, result: Verification) -> list[Seal]:
    seals = list(Seal.objects.using(run.alias).filter(number__gte=low, number__lt=high).order_by("number"))
    for number in sorted(set(range(low, high)) - {seal.number for seal in seals}):
        result.add_finding(Tampering.REMOVED, "its seal is missing", first=number, last=number)
    return seals


def _entries(run: _VerificationRun, ids: list[UUID]) -> dict[UUID, AuditEntry]:
    entries = AuditEntry.objects.using(run.alias)
    try:
        return entries.in_bulk(ids)
    except ValueError:  # SQLite stores any value, and one invalid row fails the whole query
        return {entry_id: entry for entry_id in ids if (entry := _entry(run, entry_id))}


def _entry(run: _VerificationRun, entry_id: UUID) -> AuditEntry | None:
    try:
        return AuditEntry.objects.using(run.alias).filter(pk=entry_id).first()
    except ValueError:
        return AuditEntry(pk=entry_id)  # the row exists, but its values are not valid


def _verify_entry(seal: Seal, readable: ReadableEntry | None, result: Verification) -> None:
    details: dict[str, Any] = {"entry": seal.entry_id, "first": seal.number, "last": seal.number}
    if readable is None:
        result.add_finding(Tampering.REMOVED, "it was sealed and is missing", **details)
    elif not is_as_sealed(readable.entry, bytes(seal.leaf)):
        result.add_finding(Tampering.CHANGED, "it does not match its seal", **details)
    elif not macs.verifies(readable.entry):
        result.add_finding(Tampering.CHANGED, "its MAC is not valid", **details)
    else:
        verify_personal(readable, result, **details)


def is_as_sealed(entry: AuditEntry, leaf: bytes) -> bool:
    """Return whether *entry* hashes to *leaf*. Values that cannot be hashed do not."""
    try:
        return leaves.leaf(entry) == leaf
    except (ValueError, AttributeError):
        return False


def _explain_batch(
    batch: list[tuple[Seal, AuditEntry | None]], segment: _Segment, result: Verification, *, is_named: bool
) -> None:
    """Report why the root of a batch differs. If single entries were reported already, they explain it."""
    entries = [_SealedEntry(entry, seal) for seal, entry in batch if entry is not None]
    orders = (
        sorted(entries, key=lambda sealed: (sealed.entry.transaction_id or 0, sealed.entry.pk)),
        sorted(entries, key=lambda sealed: sealed.entry.pk),
    )
    for order in orders:
        if root_hash(bytes(seal.leaf) for _entry, seal in order).hex() == segment.root:
            for (entry, _seal), (seal, _own) in zip(order, batch, strict=True):
                if entry.pk != seal.entry_id:
                    why, number = f"number {seal.number} belonged to {entry.pk}", seal.number
                    result.add_finding(Tampering.REORDERED, why, entry=seal.entry_id, first=number, last=number)
            return
    if not is_named:
        why = "together they do not match the signed root"
        result.add_finding(Tampering.CHANGED, why, first=segment.first, last=segment.end - 1)


def _verify_end(run: _VerificationRun, result: Verification) -> None:
    run.nodes.finish(result)
    size = run.last.size if run.last else 0
    if later_sizes := [other.size for other in run.external if other.size > size]:
        why = "a checkpoint stored elsewhere covers them, and they are missing"
        result.add_finding(Tampering.TRUNCATED, why, first=size, last=max(later_sizes) - 1)


def _verify_unsealed(run: _VerificationRun, result: Verification) -> None:
    """Check entries without a seal: not sealed yet, inserted, or withheld from the sealer."""
    current, last = current_horizon(run.alias), run.last
    sealed_below = last.body["horizon"] if last and last.body["cluster"] == current.cluster else None
    for readable in _unsealed(run.alias):
        entry = readable.entry
        if not macs.verifies(entry):
            result.add_finding(Tampering.INSERTED, "its MAC is not valid", entry=entry.pk)
        elif sealed_below is not None and (entry.transaction_id or 0) < sealed_below:
            result.add_finding(Tampering.WITHHELD, "later entries are sealed, and it is not", entry=entry.pk)
        elif sealed_below is not None and (entry.transaction_id or 0) >= (current.next_id or 0):
            result.add_finding(Tampering.WITHHELD, "its transaction id does not exist yet", entry=entry.pk)
        else:
            result.waiting += 1
            verify_personal(readable, result, entry=entry.pk)


def _unsealed(alias: str) -> Iterator[ReadableEntry]:
    """Yield the entries without a seal, with their personal values."""
    entries = unsealed(alias).iterator(chunk_size=_CHUNK)
    while chunk := list(islice(entries, _CHUNK)):
        yield from read(chunk, alias).values()
