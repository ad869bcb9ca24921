"""Checkpoints: what the sealer signs, and what becomes of a trail that does not fit the last one."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from auth_audit.models import Checkpoint, Seal
from auth_audit.offline_verifier import SIGNED_AS, Checked, NotGenuine, canonical, check_checkpoint, to_text
from auth_audit.seal import keys, merkle
from auth_audit.seal.tree import StoredTree


class SealsBroken(Exception):
    """What is stored does not fit the last checkpoint: sealing stops, because it would sign what was tampered with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointBody:
    """What is signed.

    Args:
        trail: A random name; checkpoints of two trails are never taken for each other's.
        size: How many entries are sealed.
        root: Of the tree over all of them, in hex.
        previous: The size of the checkpoint before.
        batch: Root over the entries that this one adds alone, so that a range can be named, and checked by itself.
        epoch: Grows when the database was restored into another cluster.
        cluster: PostgreSQL's system identifier.
        horizon: Transactions below are sealed for good; ``None``: what is unsealed has to be searched for.
        time: When, by the clock of the database.
        signer: Id of the key that signs. Not called a key: filters of logs would mask it, and nothing would verify.
    """

    trail: str
    size: int
    root: str
    previous: int
    batch: str
    epoch: int
    cluster: str
    horizon: int | None
    time: str
    signer: str


def sign(body: CheckpointBody, alias: str) -> Checkpoint:
    """Sign and store a checkpoint.

    Raises:
        KeysMissing: there is no key.
    """
    text = canonical(asdict(body))
    signature = keys.signing_key().key.sign(SIGNED_AS + text)
    return Checkpoint.objects.using(alias).create(size=body.size, body=text.decode(), signature=to_text(signature))


def latest(alias: str) -> Checkpoint | None:
    """Return the last checkpoint, unchecked."""
    return Checkpoint.objects.using(alias).order_by("-size").first()


def check(checkpoint: Checkpoint, believed: Mapping[str, bytes]) -> Checked:
    """Return what *checkpoint* says.

    Raises:
        NotGenuine: it is not what was signed.
    """
    try:
        signed: dict[str, Any] = checkpoint.signed
    except ValueError as error:
        raise NotGenuine("The checkpoint is no JSON.") from error
    checked = check_checkpoint(signed, believed)
    if checked.size != checkpoint.size:
        raise NotGenuine(f"The checkpoint is that of {checked.size} entries.")
    return checked


def continued(checkpoint: Checkpoint, tree: StoredTree, alias: str) -> CheckpointBody:
    """Return what is to be built upon, once seals and nodes are seen to fit it.

    Raises:
        SealsBroken: they do not.
    """
    try:
        checked = check(checkpoint, keys.believed_keys())
        body = CheckpointBody(**checked.body)
        newest = Seal.objects.using(alias).order_by("-number").values_list("number", flat=True).first()
        if newest != checked.size - 1:
            raise SealsBroken(f"The last checkpoint says {checked.size} entries, the last seal is {newest}.")
        if merkle.root(checked.size, tree.node) != checked.root:
            raise SealsBroken(f"The tree is not that of the checkpoint of {checked.size} entries.")
    except (NotGenuine, LookupError, TypeError) as problem:
        raise SealsBroken(str(problem)) from problem
    return body
