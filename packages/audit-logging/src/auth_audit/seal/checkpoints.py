"""Checkpoints: the signed statements of the sealer."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from auth_audit.models import Checkpoint, Seal
from auth_audit.offline_verifier import (
    SIGNATURE_PREFIX,
    NotGenuine,
    VerifiedCheckpoint,
    canonical_json,
    to_base64url,
    verify_checkpoint,
)
from auth_audit.seal import keys, merkle
from auth_audit.seal.tree import StoredTree


class SealsBroken(Exception):
    """The stored seals do not match the last checkpoint. Sealing stops, so that tampered data is never signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointBody:
    """The signed content.

    Args:
        trail: A random id of the trail. It keeps checkpoints of two trails distinct.
        size: Number of sealed entries.
        root: Root hash of the tree over all of them, in hex.
        previous: Size of the previous checkpoint.
        batch: Root hash over only the entries that this checkpoint adds, in hex. A range can be verified with
            it alone.
        epoch: Increases when the database was restored into another cluster.
        cluster: The system identifier of PostgreSQL.
        horizon: Entries of transactions below this id are sealed completely. ``None`` means that the sealer
            must search for unsealed entries.
        time: Time of the database's clock.
        signer: Id of the signing key. Not named "key", because log filters would mask it and the signature
            would no longer verify.
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
        KeysMissing: There is no key.
    """
    text = canonical_json(asdict(body))
    signature = keys.signing_key().key.sign(SIGNATURE_PREFIX + text)
    return Checkpoint.objects.using(alias).create(size=body.size, body=text.decode(), signature=to_base64url(signature))


def latest(alias: str) -> Checkpoint | None:
    """Return the newest checkpoint, without verifying it."""
    return Checkpoint.objects.using(alias).order_by("-size").first()


def verify(checkpoint: Checkpoint, trusted: Mapping[str, bytes]) -> VerifiedCheckpoint:
    """Verify *checkpoint* and return its content.

    Raises:
        NotGenuine: It is not signed by a trusted key.
    """
    try:
        signed: dict[str, Any] = checkpoint.signed
    except ValueError as error:
        raise NotGenuine("The checkpoint is not valid JSON.") from error
    verified = verify_checkpoint(signed, trusted)
    if verified.size != checkpoint.size:
        raise NotGenuine(f"The checkpoint was signed for {verified.size} entries.")
    return verified


def verified_body(checkpoint: Checkpoint, tree: StoredTree, alias: str) -> CheckpointBody:
    """Return the content of the last checkpoint, after verifying that the stored seals and nodes match it.

    Raises:
        SealsBroken: They do not match.
    """
    try:
        verified = verify(checkpoint, keys.trusted_keys())
        body = CheckpointBody(**verified.body)
        newest = Seal.objects.using(alias).order_by("-number").values_list("number", flat=True).first()
        if newest != verified.size - 1:
            raise SealsBroken(
                f"The last checkpoint covers {verified.size} entries, but the last seal has number {newest}."
            )
        if merkle.root(verified.size, tree.node) != verified.root:
            raise SealsBroken(f"The tree does not match the checkpoint of {verified.size} entries.")
    except (NotGenuine, LookupError, TypeError) as error:
        raise SealsBroken(str(error)) from error
    return body
