"""Verifying the stored nodes of the tree: proofs are made from them."""

from auth_audit.models import TreeNode
from auth_audit.offline_verifier import root_of
from auth_audit.seal.tree import STEP, TILE
from auth_audit.verify.findings import Tampering, Verification


class Nodes:
    """Hashes the stored levels again, leaf by leaf, and compares each node when it is complete."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._open: dict[int, list[bytes]] = {}
        self._complete: dict[int, int] = {}

    def append(self, value: bytes, result: Verification, level: int = 0) -> None:
        """Add a leaf, or a node of *level*."""
        tile = self._open.setdefault(level, [])
        tile.append(value)
        if len(tile) == TILE:
            above, tile[:] = root_of(tile), []
            self._compare(level + STEP, above, result)
            self.append(above, result, level + STEP)

    def finish(self, result: Verification) -> None:
        """See that no level has more nodes than are complete."""
        for level in TreeNode.objects.using(self._alias).order_by("level").values_list("level", flat=True).distinct():
            count = self._complete.get(level, 0)
            if TreeNode.objects.using(self._alias).filter(level=level, index__gte=count).exists():
                result.found(Tampering.INSERTED, f"level {level} of the tree has more nodes than leaves make")

    def _compare(self, level: int, value: bytes, result: Verification) -> None:
        index = self._complete.get(level, 0)
        self._complete[level] = index + 1
        stored = TreeNode.objects.using(self._alias).filter(level=level, index=index).values_list("value", flat=True)
        if [bytes(found) for found in stored] != [value]:
            named = {"first": index << level, "last": ((index + 1) << level) - 1}
            result.found(Tampering.CHANGED, "the stored node of the tree over them is not what they make", **named)
