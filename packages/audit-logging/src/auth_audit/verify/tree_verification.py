"""Verification of the stored nodes of the tree, from which proofs are made."""

from auth_audit.models import TreeNode
from auth_audit.offline_verifier import root_hash
from auth_audit.seal.tree import STEP, TILE
from auth_audit.verify.findings import Tampering, Verification


class NodeVerifier:
    """Computes the stored levels again, leaf by leaf, and compares each complete node."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._open: dict[int, list[bytes]] = {}
        self._complete: dict[int, int] = {}

    def append(self, value: bytes, result: Verification, level: int = 0) -> None:
        """Add a leaf hash, or a node of *level*."""
        tile = self._open.setdefault(level, [])
        tile.append(value)
        if len(tile) == TILE:
            parent, tile[:] = root_hash(tile), []
            self._compare(level + STEP, parent, result)
            self.append(parent, result, level + STEP)

    def finish(self, result: Verification) -> None:
        """Report levels with more nodes than the leaves account for."""
        for level in TreeNode.objects.using(self._alias).order_by("level").values_list("level", flat=True).distinct():
            count = self._complete.get(level, 0)
            if TreeNode.objects.using(self._alias).filter(level=level, index__gte=count).exists():
                result.add_finding(
                    Tampering.INSERTED, f"level {level} of the tree has more nodes than its leaves account for"
                )

    def _compare(self, level: int, value: bytes, result: Verification) -> None:
        index = self._complete.get(level, 0)
        self._complete[level] = index + 1
        stored = TreeNode.objects.using(self._alias).filter(level=level, index=index).values_list("value", flat=True)
        if [bytes(node) for node in stored] != [value]:
            range_ = {"first": index << level, "last": ((index + 1) << level) - 1}
            result.add_finding(Tampering.CHANGED, "the stored node of the tree does not match these entries", **range_)
