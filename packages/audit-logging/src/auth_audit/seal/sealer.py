"""Sealing: numbers without a gap for what is there for good, and a signed checkpoint over all of it.

One transaction per batch: seals, nodes and checkpoint are there together or not at all.
Nothing is sealed whose MAC does not verify: a checkpoint says that we wrote it.
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
from auth_audit.offline_verifier import root_of
from auth_audit.seal import checkpoints, keys, leaves, merkle
from auth_audit.seal.checkpoints import CheckpointBody, SealsBroken
from auth_audit.seal.transaction_horizon import Horizon, horizon, is_only_sealer
from auth_audit.seal.tree import StoredTree
from auth_core.conf import core
from auth_core.crypto.encryption import KeysMissing
from auth_core.runtime import degradation

logger = logging.getLogger(__name__)


class _Leaf(NamedTuple):
    """An entry that is about to be sealed."""

    entry_id: UUID
    transaction_id: int | None
    value: bytes


def seal(alias: str = "", *, search: bool = False) -> int:
    """Seal everything that is there for good; return how many entries. While another sealer works, none.

    Args:
        alias: The database; empty: the one that entries are written to.
        search: Look through the whole trail for what was left behind, such as what somebody kept from the sealer.

    Raises:
        KeysMissing: there is no key to sign with.
        SealsBroken: what is stored does not fit the last checkpoint; `manage.py audit_verify` names it.
    """
    alias = alias or router.db_for_write(AuditEntry)
    sealed = 0
    while batch := _seal_batch(alias, search=search):
        sealed += batch
        if batch < audit.BATCH:
            break
    return sealed


def sweep(alias: str = "") -> int:
    """Seal, and leave what is broken to whoever reads the log: other sweeps must run all the same."""
    try:
        sealed = seal(alias)
    except (SealsBroken, KeysMissing) as problem:
        degradation.degrade(Control.SEALING, reason=type(problem).__name__)
        logger.exception("The trail is not sealed any more.")
        return 0
    degradation.restore(Control.SEALING)
    return sealed


def unsealed(alias: str) -> "QuerySet[AuditEntry]":
    """Return the entries that have no number, whatever the reason."""
    return AuditEntry.objects.using(alias).filter(~Exists(Seal.objects.filter(entry_id=OuterRef("pk"))))


def _seal_batch(alias: str, *, search: bool) -> int:
    keys.signing_key()  # before anything is looked at: without keys every entry would look forged
    with transaction.atomic(using=alias):
        if not is_only_sealer(alias):
            return 0
        tree, last = StoredTree(alias), checkpoints.latest(alias)
        before = None if last is None else checkpoints.continued(last, tree, alias)
        if before is None and Seal.objects.using(alias).exists():
            raise SealsBroken("There are seals and no checkpoint.")
        at = horizon(alias)
        is_search = search or before is None or before.horizon is None or _is_new_epoch(before, at)
        entries = _by_id(alias) if is_search else _by_transaction(before, at, alias)
        batch = list(islice(_genuine(entries), audit.BATCH))
        left = len(batch) == audit.BATCH or batch[-1:] == [None]
        found = [leaf for leaf in batch if leaf is not None]
        if found:
            _write(
                found,
                before=before,
                at=at,
                horizon=_next_horizon(found, at, is_search=is_search, is_left=left),
                tree=tree,
                alias=alias,
            )
    return len(found)


def _is_new_epoch(before: CheckpointBody, at: Horizon) -> bool:
    """Say whether transactions are counted anew: another cluster, or this one set back."""
    return before.cluster != at.cluster or (before.horizon or 0) > (at.beyond or 0)


def _by_id(alias: str) -> "QuerySet[AuditEntry]":
    """Search the whole trail: on SQLite, at the first sealing, and in a new epoch."""
    return unsealed(alias).order_by("id")


def _by_transaction(before: CheckpointBody | None, at: Horizon, alias: str) -> "QuerySet[AuditEntry]":
    """Take what transactions have written that were not over last time and are now; the index leads there."""
    oldest = before.horizon if before else None
    return (
        unsealed(alias)
        .filter(transaction_id__gte=oldest, transaction_id__lt=at.oldest)
        .order_by("transaction_id", "id")
    )


def _genuine(entries: "QuerySet[AuditEntry]") -> Iterator[_Leaf | None]:
    """Yield what we wrote; what somebody else did stays without a number, and is named by `audit_verify`.

    At an entry under a key that this process has not, it ends with ``None``: that is a key that was
    rotated everywhere but here more often than a forgery, and skipping it would leave it out for ever.
    """
    for entry in entries.iterator(chunk_size=1000):
        if entry.mac_key not in core.FIELD_KEYS:
            logger.error("The entry %s is under a field key that is not here; sealing waits for it.", entry.pk)
            yield None
            return
        try:
            value = leaves.leaf(entry) if macs.verifies(entry) else None
        except ValueError:
            value = None
        if value is None:
            logger.error("The entry %s is not one that we wrote; it is not sealed.", entry.pk)
        else:
            yield _Leaf(entry.pk, entry.transaction_id, value)


def _write(
    batch: list[_Leaf],
    *,
    before: CheckpointBody | None,
    at: Horizon,
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
        batch=root_of(leaf.value for leaf in batch).hex(),
        epoch=_epoch(before, at),
        cluster=at.cluster,
        horizon=horizon,
        time=(at.now or timezone.now()).isoformat(),
        signer=keys.signing_key().id,
    )
    return checkpoints.sign(body, alias)


def _epoch(before: CheckpointBody | None, at: Horizon) -> int:
    if before is None:
        return 1
    return before.epoch + _is_new_epoch(before, at)


def _next_horizon(batch: list[_Leaf], at: Horizon, *, is_search: bool, is_left: bool) -> int | None:
    """Return below which nothing is left to seal; where something *is_left*, the rest of the last transaction is, too."""
    if not is_left:
        return at.oldest
    return None if is_search else batch[-1].transaction_id
