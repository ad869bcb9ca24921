"""Sealing: consecutive numbers for final entries, and a signed checkpoint over all of them.

Each batch is one transaction, so its seals, nodes and checkpoint are committed together. An entry without a
valid MAC is never sealed, because a checkpoint states that this service wrote it.
"""

import logging
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple
from uuid import UUID, uuid4

from django.db import router, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from auth_audit.append import macs
from auth_audit.conf import audit
from auth_audit.controls import Control
from auth_audit.models import AuditEntry, Checkpoint, Seal
from auth_audit.offline_verifier import root_hash
from auth_audit.seal import checkpoints, keys, leaves, merkle
from auth_audit.seal.checkpoints import CheckpointBody, SealsBroken
from auth_audit.seal.transaction_horizon import Horizon, current_horizon, take_sealer_lock
from auth_audit.seal.tree import StoredTree
from auth_core.conf import core
from auth_core.crypto.encryption import KeysMissing
from auth_core.runtime import degradation

logger = logging.getLogger(__name__)


class _Leaf(NamedTuple):
    """An entry to be sealed."""

    entry_id: UUID
    transaction_id: int | None
    value: bytes


def seal(alias: str = "", *, search: bool = False) -> int:
    """Seal all final entries. Return their number, or 0 if another sealer is running.

    Args:
        alias: The database. Empty means the one that entries are written to.
        search: Search the whole trail for unsealed entries, such as entries withheld from the sealer.

    Raises:
        KeysMissing: There is no key to sign with.
        SealsBroken: The stored seals do not match the last checkpoint. `manage.py audit_verify` reports the
            difference.
    """
    alias = alias or router.db_for_write(AuditEntry)
    sealed = 0
    while batch := _seal_batch(alias, search=search):
        sealed += batch
        if batch < audit.BATCH:
            break
    return sealed


def sweep(alias: str = "") -> int:
    """Seal. Errors are logged and do not stop other sweeps."""
    try:
        sealed = seal(alias)
    except (SealsBroken, KeysMissing) as error:
        degradation.report_degraded(Control.SEALING, reason=type(error).__name__)
        logger.exception("Sealing of the audit trail failed.")
        return 0
    degradation.report_restored(Control.SEALING)
    return sealed


def unsealed(alias: str) -> "QuerySet[AuditEntry]":
    """Return the entries without a number."""
    return AuditEntry.objects.using(alias).filter(~Exists(Seal.objects.filter(entry_id=OuterRef("pk"))))


def _seal_batch(alias: str, *, search: bool) -> int:
    keys.signing_key()  # first, because without keys every entry would look forged
    with transaction.atomic(using=alias):
        if not take_sealer_lock(alias):
            return 0
        tree, last_checkpoint = StoredTree(alias), checkpoints.latest(alias)
        before = None if last_checkpoint is None else checkpoints.verified_body(last_checkpoint, tree, alias)
        if before is None and Seal.objects.using(alias).exists():
            raise SealsBroken("There are seals but no checkpoint.")
        current = current_horizon(alias)
        is_search = search or before is None or before.horizon is None or _is_new_epoch(before, current)
        entries = _by_id(alias) if is_search else _by_transaction(before, current, alias)
        batch = list(islice(_genuine(entries), audit.BATCH))
        is_left = len(batch) == audit.BATCH or batch[-1:] == [None]
        leaves_to_seal = [leaf for leaf in batch if leaf is not None]
        if leaves_to_seal:
            _write(
                leaves_to_seal,
                before=before,
                current=current,
                horizon=_next_horizon(leaves_to_seal, current, is_search=is_search, is_left=is_left),
                tree=tree,
                alias=alias,
            )
    return len(leaves_to_seal)


def _is_new_epoch(before: CheckpointBody, current: Horizon) -> bool:
    """Return whether transaction ids started again: in another cluster, or in this one after a restore."""
    return before.cluster != current.cluster or (before.horizon or 0) > (current.next_id or 0)


def _by_id(alias: str) -> "QuerySet[AuditEntry]":
    """Return all unsealed entries: on SQLite, for the first sealing, in a new epoch, and for a search."""
    return unsealed(alias).order_by("id")


def _by_transaction(before: CheckpointBody | None, current: Horizon, alias: str) -> "QuerySet[AuditEntry]":
    """Return the entries of transactions that were not finished last time and are now. Uses an index."""
    oldest = before.horizon if before else None
    return (
        unsealed(alias)
        .filter(transaction_id__gte=oldest, transaction_id__lt=current.oldest)
        .order_by("transaction_id", "id")
    )


def _genuine(entries: "QuerySet[AuditEntry]") -> Iterator[_Leaf | None]:
    """Yield the leaves of entries with a valid MAC. Other entries get no number, and `audit_verify` reports them.

    At an entry whose field key this process does not have, yield ``None`` and stop. The key was more likely
    rotated everywhere but here than forged, and a skipped entry would never be sealed.
    """
    for entry in entries.iterator(chunk_size=1000):
        if entry.mac_key not in core.FIELD_KEYS:
            logger.error("The field key of entry %s is missing. Sealing waits for it.", entry.pk)
            yield None
            return
        try:
            value = leaves.leaf(entry) if macs.verifies(entry) else None
        except ValueError:
            value = None
        if value is None:
            logger.error("The MAC of entry %s is not valid. The entry is not sealed.", entry.pk)
        else:
            yield _Leaf(entry.pk, entry.transaction_id, value)


def _write(
    batch: list[_Leaf],
    *,
    before: CheckpointBody | None,
    current: Horizon,
    horizon: int | None,
    tree: StoredTree,
    alias: str,
) -> Checkpoint:
    old = before.size if before else 0
    new = old + len(batch)
    seals = [Seal(number=number, entry_id=leaf.entry_id, leaf=leaf.value) for number, leaf in enumerate(batch, old)]
    Seal.objects.using(alias).bulk_create(seals, batch_size=1000)
    tree.grow(old, new)
    body = CheckpointBody(
        trail=before.trail if before else str(uuid4()),
        size=new,
        root=merkle.root(new, tree.node).hex(),
        previous=old,
        batch=root_hash(leaf.value for leaf in batch).hex(),
        epoch=_epoch(before, current),
        cluster=current.cluster,
        horizon=horizon,
        time=(current.now or timezone.now()).isoformat(),
        signer=keys.signing_key().id,
    )
    return checkpoints.sign(body, alias)


def _epoch(before: CheckpointBody | None, current: Horizon) -> int:
    if before is None:
        return 1
    return before.epoch + _is_new_epoch(before, current)


def _next_horizon(batch: list[_Leaf], current: Horizon, *, is_search: bool, is_left: bool) -> int | None:
    """Return the transaction id below which every entry is sealed.

    If *is_left*, the last transaction of the batch may have further entries, so it is the horizon.
    """
    if not is_left:
        return current.oldest
    return None if is_search else batch[-1].transaction_id
