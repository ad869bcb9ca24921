"""Inclusion proofs: the path from a stored entry to a signed checkpoint."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import router

from auth_audit.append import macs
from auth_audit.models import AuditEntry, Checkpoint, Seal
from auth_audit.offline_verifier import NotGenuine, is_included
from auth_audit.seal import checkpoints, keys, leaves, merkle
from auth_audit.seal.tree import StoredTree
from auth_audit.verify.verification import is_as_sealed


class State(StrEnum):
    """The state of one entry."""

    PROVEN = "proven"
    WAITING = "waiting"
    TAMPERED = "tampered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The input of `auth_audit.offline_verifier` for one entry.

    Args:
        entry: The entry in the form that is hashed. ``None`` if the stored values are not valid.
        number: Its number. ``None`` if it is not sealed yet.
        path: The hashes of the inclusion proof, in hex.
        checkpoint: The newest signed checkpoint. ``None`` if there is none yet.
        state: The result of our own verification. A verifier computes its own.
    """

    entry: dict[str, Any] | None
    number: int | None
    path: list[str]
    checkpoint: dict[str, Any] | None
    state: State


class Prover:
    """Makes proofs for one checkpoint, the newest when the prover was created."""

    def __init__(self, alias: str = "") -> None:
        self._alias = alias or router.db_for_read(AuditEntry)
        self._tree = StoredTree(self._alias)
        self.checkpoint: Checkpoint | None = checkpoints.latest(self._alias)

    def seals(self, entries: list[AuditEntry]) -> dict[Any, Seal]:
        """Return the seals of *entries* by entry id, with one query."""
        seals = Seal.objects.using(self._alias).filter(entry_id__in=[entry.pk for entry in entries])
        return {seal.entry_id: seal for seal in seals}

    def proof(self, entry: AuditEntry, seal: Seal | None) -> Proof:
        """Return the proof of *entry*, given its seal."""
        checkpoint = self.checkpoint
        if checkpoint is None or seal is None or seal.number >= checkpoint.size:
            state = State.WAITING if macs.verifies(entry) else State.TAMPERED
            return self._proof(entry, None, [], state)
        try:
            path = merkle.inclusion_path(seal.number, checkpoint.size, self._tree.node)
        except LookupError:
            return self._proof(entry, seal.number, [], State.TAMPERED)
        state = State.PROVEN if self._is_proven(entry, seal, checkpoint, path) else State.TAMPERED
        return self._proof(entry, seal.number, [step.hex() for step in path], state)

    def consistency(self, first: int) -> list[str]:
        """Return the consistency proof from the checkpoint of *first* entries, in hex.

        Raises:
            LookupError: A node of the tree is missing.
        """
        size = self.checkpoint.size if self.checkpoint else 0
        return [step.hex() for step in merkle.consistency_path(first, size, self._tree.node)]

    def _is_proven(self, entry: AuditEntry, seal: Seal, checkpoint: Checkpoint, path: list[bytes]) -> bool:
        leaf = bytes(seal.leaf)
        if not (is_as_sealed(entry, leaf) and macs.verifies(entry)):
            return False
        try:
            verified = checkpoints.verify(checkpoint, keys.trusted_keys())
        except NotGenuine:
            return False
        return is_included(leaf, seal.number, verified.size, path, verified.root)

    def _proof(self, entry: AuditEntry, number: int | None, path: list[str], state: State) -> Proof:
        try:
            content = leaves.content(entry)
        except ValueError:
            content = None
        signed = self.checkpoint.signed if self.checkpoint else None
        return Proof(entry=content, number=number, path=path, checkpoint=signed, state=state)


def proof_of(entry: AuditEntry) -> Proof:
    """Return the proof of one entry."""
    prover = Prover()
    return prover.proof(entry, prover.seals([entry]).get(entry.pk))
