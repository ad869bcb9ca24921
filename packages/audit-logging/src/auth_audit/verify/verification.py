"""Verifying the whole trail, or a range: every entry is hashed again and compared with what was signed.

Whoever has the database can change entries and every hash that needs no key. They can
neither make a MAC nor sign: so an entry is named by its MAC and its seal, and where the
seals were made to fit, the range by the checkpoint that does not.

A tail that is cut together with its seals and checkpoints, and an older backup, are
whole in themselves: only a checkpoint that was kept elsewhere shows them.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.db import router

from auth_audit.append import macs
from auth_audit.models import AuditEntry, Checkpoint, Seal
from auth_audit.offline_verifier import Checked, Frontier, NotGenuine, check_checkpoint, root_of
from auth_audit.seal import checkpoints, keys, leaves
from auth_audit.seal.sealer import unsealed
from auth_audit.seal.transaction_horizon import horizon
from auth_audit.verify.findings import Tampering, Verification
from auth_audit.verify.tree_verification import Nodes

#: Entries that are read at once.
_CHUNK = 1000


def verify(
    *, first: int = 0, last: int | None = None, against: Iterable[Mapping[str, Any]] = (), alias: str = ""
) -> Verification:
    """Verify the trail.

    Args:
        first: Number of the first entry to look at; the batches that hold the range are verified whole.
        last: Number of the last; ``None``: all, with what is not sealed yet.
        against: Checkpoints that were kept elsewhere; with them the whole trail is verified.

    Raises:
        KeysMissing: there are no keys to verify with.
    """
    run, result = _Run(alias or router.db_for_read(AuditEntry)), Verification()
    run.is_whole = (first, last) == (0, None)
    if run.is_whole:
        run.others = _believed(against, run, result)
    for segment in _segments(run, result):
        if segment.end > first and (last is None or segment.first <= last):
            _verify_segment(run, segment, result)
    if run.is_whole:
        _verify_end(run, result)
        _verify_unsealed(run, result)
    return result


class _Segment(NamedTuple):
    """Numbers from *first* to before *end*, and what was signed: the root over them alone, and over all up to there.

    Where no checkpoint is genuine, nothing was signed.
    """

    first: int
    end: int
    root: str = ""
    tree: str = ""


class _Run:
    """What a verification carries along: the tree as it is hashed again, and what it is compared with."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.keys = keys.believed_keys()
        self.tree = Frontier()
        self.nodes = Nodes(alias)
        self.last: Checked | None = None
        self.others: list[Checked] = []
        self.is_whole = True
        self.agreed = 0  # up to where a checkpoint from elsewhere was found to be right

    def append(self, leaf: bytes, result: Verification) -> None:
        """Hash one leaf more; of a range there is no tree."""
        if not self.is_whole:
            return
        self.tree.append(leaf)
        self.nodes.append(leaf, result)
        while self.others and self.others[0].size == self.tree.size:
            other = self.others.pop(0)
            if self.tree.root == other.root:
                self.agreed = other.size
            else:
                why = "they are not what a checkpoint kept elsewhere says: an older state was restored, or they were replaced"
                result.found(Tampering.CHANGED, why, first=self.agreed, last=other.size - 1)


def _believed(against: Iterable[Mapping[str, Any]], run: _Run, result: Verification) -> list[Checked]:
    checked = []
    for signed in against:
        try:
            checked.append(check_checkpoint(signed, run.keys))
        except NotGenuine as problem:
            result.found(Tampering.CHANGED, f"a checkpoint from elsewhere: {problem}")
    return sorted(checked, key=lambda checkpoint: checkpoint.size)


def _segments(run: _Run, result: Verification) -> Iterator[_Segment]:
    """Yield what each genuine checkpoint added, in order, and what none covers in between and at the end."""
    reached = 0
    for checkpoint in Checkpoint.objects.using(run.alias).order_by("size").iterator(chunk_size=_CHUNK):
        try:
            checked = checkpoints.check(checkpoint, run.keys)
        except NotGenuine as problem:
            result.found(Tampering.CHANGED, f"checkpoint {checkpoint.size}: {problem}", first=reached)
            continue
        previous = checked.body["previous"]
        if previous != reached:
            result.found(Tampering.REMOVED, "no genuine checkpoint covers them", first=reached, last=previous - 1)
            yield _Segment(reached, previous)
        run.last, reached = checked, checked.size
        yield _Segment(previous, reached, checked.body["batch"], checked.body["root"])
    newest = Seal.objects.using(run.alias).order_by("-number").first()
    if newest is not None and newest.number >= reached:
        why = "no genuine checkpoint covers their seals"
        result.found(Tampering.INSERTED, why, first=reached, last=newest.number)
        yield _Segment(reached, newest.number + 1)


def _verify_segment(run: _Run, segment: _Segment, result: Verification) -> None:
    """Compare each entry with its seal, and all seals with the signed root."""
    before = len(result.findings)
    batch: list[tuple[Seal, AuditEntry | None]] = []
    for low in range(segment.first, segment.end, _CHUNK):
        seals = _seals(run, low, min(low + _CHUNK, segment.end), result)
        entries = _entries(run, [seal.entry_id for seal in seals])
        for seal in seals:
            _verify_entry(seal, entries.get(seal.entry_id), result)
            run.append(bytes(seal.leaf), result)
            batch.append((seal, entries.get(seal.entry_id)))
    result.sealed += len(batch)
    if segment.root and root_of(bytes(seal.leaf) for seal, _entry in batch).hex() != segment.root:
        _name_range(batch, segment, result, is_named=len(result.findings) > before)
    elif segment.tree and run.is_whole and not result.findings and run.tree.root.hex() != segment.tree:
        # A genuine batch of another trail, or of another time, was put in the place of ours.
        why = "each batch was signed, and not in this trail"
        result.found(Tampering.CHANGED, why, first=0, last=segment.end - 1)


def _seals(run: _Run, low: int, high: int, result: Verification) -> list[Seal]:
    found = list(Seal.objects.using(run.alias).filter(number__gte=low, number__lt=high).order_by("number"))
    for number in sorted(set(range(low, high)) - {seal.number for seal in found}):
        result.found(Tampering.REMOVED, "its seal is gone", first=number, last=number)
    return found


def _entries(run: _Run, ids: list[UUID]) -> dict[UUID, AuditEntry]:
    entries = AuditEntry.objects.using(run.alias)
    try:
        return entries.in_bulk(ids)
    except ValueError:  # SQLite keeps whatever somebody writes, and one row hinders all
        return {entry_id: entry for entry_id in ids if (entry := _entry(run, entry_id))}


def _entry(run: _Run, entry_id: UUID) -> AuditEntry | None:
    try:
        return AuditEntry.objects.using(run.alias).filter(pk=entry_id).first()
    except ValueError:
        return AuditEntry(pk=entry_id)  # there, and nothing that we wrote


def _verify_entry(seal: Seal, entry: AuditEntry | None, result: Verification) -> None:
    named: dict[str, Any] = {"entry": seal.entry_id, "first": seal.number, "last": seal.number}
    if entry is None:
        result.found(Tampering.REMOVED, "it was sealed and is gone", **named)
    elif not is_as_sealed(entry, bytes(seal.leaf)):
        result.found(Tampering.CHANGED, "it is not what was sealed", **named)
    elif not macs.verifies(entry):
        result.found(Tampering.CHANGED, "its MAC is not ours", **named)


def is_as_sealed(entry: AuditEntry, leaf: bytes) -> bool:
    """Say whether *entry* hashes to *leaf*; nonsense that somebody wrote does not."""
    try:
        return leaves.leaf(entry) == leaf
    except (ValueError, AttributeError):
        return False


def _name_range(
    batch: list[tuple[Seal, AuditEntry | None]], segment: _Segment, result: Verification, *, is_named: bool
) -> None:
    """Say what is wrong with a batch whose root is not the signed one; where single entries are named, they are it."""
    entries = [(entry, seal) for seal, entry in batch if entry is not None]
    orders = (
        sorted(entries, key=lambda pair: (pair[0].transaction_id or 0, pair[0].pk)),
        sorted(entries, key=lambda pair: pair[0].pk),
    )
    for order in orders:
        if root_of(bytes(seal.leaf) for _entry, seal in order).hex() == segment.root:
            for (entry, _seal), (seal, _own) in zip(order, batch, strict=True):
                if entry.pk != seal.entry_id:
                    why, number = f"number {seal.number} was that of {entry.pk}", seal.number
                    result.found(Tampering.REORDERED, why, entry=seal.entry_id, first=number, last=number)
            return
    if not is_named:
        why = "together they are not what was signed"
        result.found(Tampering.CHANGED, why, first=segment.first, last=segment.end - 1)


def _verify_end(run: _Run, result: Verification) -> None:
    run.nodes.finish(result)
    size = run.last.size if run.last else 0
    if beyond := [other.size for other in run.others if other.size > size]:
        why = "a checkpoint that was kept elsewhere covers them, and they are gone"
        result.found(Tampering.TRUNCATED, why, first=size, last=max(beyond) - 1)


def _verify_unsealed(run: _Run, result: Verification) -> None:
    """Look at what has no number: it waits, or somebody else wrote it, or kept it from being sealed."""
    at, last = horizon(run.alias), run.last
    sealed_below = last.body["horizon"] if last and last.body["cluster"] == at.cluster else None
    for entry in unsealed(run.alias).iterator(chunk_size=_CHUNK):
        if not macs.verifies(entry):
            result.found(Tampering.INSERTED, "its MAC is not ours", entry=entry.pk)
        elif sealed_below is not None and (entry.transaction_id or 0) < sealed_below:
            result.found(Tampering.WITHHELD, "its turn has passed, and it has no seal", entry=entry.pk)
        elif sealed_below is not None and (entry.transaction_id or 0) >= (at.beyond or 0):
            result.found(Tampering.WITHHELD, "it names a transaction that there is not yet", entry=entry.pk)
        else:
            result.waiting += 1
