"""The stored tree: the leaves with the seals, and every eighth level of the nodes above.

A proof in a tree of a million entries reads three tiles of 256 hashes. Levels in between are hashed again,
which is cheaper than reading them.
"""

from collections.abc import Iterator

from auth_audit.models import Seal, TreeNode
from auth_audit.offline_verifier import node_hash

#: Levels of the tree between two stored levels, and nodes in a tile.
STEP, TILE = 8, 256

#: Maximum number of cached tiles. Neighbouring proofs share theirs.
_MAX_CACHED = 64


class StoredTree:
    """Reads nodes of the tree in one database. `node` is the function that `auth_audit.seal.merkle` needs."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._tiles: dict[tuple[int, int], list[list[bytes]]] = {}

    def node(self, height: int, index: int) -> bytes:
        """Return the hash of a complete subtree.

        Raises:
            LookupError: A leaf or node below it is missing.
        """
        level, height_in_tile = height // STEP * STEP, height % STEP
        first = index << height_in_tile
        levels = self._tile(level, first // TILE)
        return levels[height_in_tile][(first % TILE) >> height_in_tile]

    def grow(self, old: int, new: int) -> None:
        """Store the nodes that are complete now that the tree has *new* leaves instead of *old*."""
        self._tiles.clear()
        level = STEP
        while new >> level:
            nodes = [
                TreeNode(level=level, index=index, value=self._tile(level - STEP, index)[STEP][0])
                for index in range(old >> level, new >> level)
            ]
            TreeNode.objects.using(self._alias).bulk_create(nodes)
            level += STEP

    def _tile(self, level: int, number: int) -> list[list[bytes]]:
        """Return the nodes of a tile, and the complete nodes above them, level by level."""
        levels = self._tiles.get((level, number))
        if levels is None:
            if len(self._tiles) >= _MAX_CACHED:
                del self._tiles[next(iter(self._tiles))]
            levels = self._tiles[level, number] = _levels(self._stored(level, number))
        return levels

    def _stored(self, level: int, number: int) -> list[bytes]:
        """Read the nodes of a tile.

        Raises:
            LookupError: One in between is missing.
        """
        first = number * TILE
        rows = list(self._seals(first) if level == 0 else self._nodes(level, first))
        if any(index != expected for expected, (index, _value) in enumerate(rows, first)):
            raise LookupError(f"A node of level {level} is missing after {first}.")
        return [bytes(value) for _index, value in rows]

    def _seals(self, first: int) -> Iterator[tuple[int, bytes | memoryview]]:
        seals = Seal.objects.using(self._alias).filter(number__gte=first, number__lt=first + TILE)
        yield from seals.order_by("number").values_list("number", "leaf")

    def _nodes(self, level: int, first: int) -> Iterator[tuple[int, bytes | memoryview]]:
        nodes = TreeNode.objects.using(self._alias).filter(level=level, index__gte=first, index__lt=first + TILE)
        yield from nodes.order_by("index").values_list("index", "value")


def _levels(nodes: list[bytes]) -> list[list[bytes]]:
    levels = [nodes]
    for _height in range(STEP):
        below = levels[-1]
        levels.append([node_hash(below[position], below[position + 1]) for position in range(0, len(below) - 1, 2)])
    return levels
