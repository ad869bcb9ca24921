"""The tree as it is stored: leaves with the seals, and of the nodes above them every eighth level.

A proof for one of a million entries reads three tiles of 256 hashes, whatever its place;
what lies between two stored levels is hashed again, which costs less than reading it.
"""

from collections.abc import Iterator

from auth_audit.models import Seal, TreeNode
from auth_audit.offline_verifier import node_of

#: Levels of the tree that one stored level stands for, and nodes of a tile.
STEP, TILE = 8, 256

#: Tiles that a reader keeps: those of a proof are shared by its neighbours.
_MOST_KEPT = 64


class StoredTree:
    """Reads nodes of the tree in one database; `node` is what `auth_audit.seal.merkle` asks."""

    def __init__(self, alias: str) -> None:
        self._alias = alias
        self._tiles: dict[tuple[int, int], list[list[bytes]]] = {}

    def node(self, height: int, index: int) -> bytes:
        """Return the hash of a complete subtree.

        Raises:
            LookupError: what it is made of is not stored.
        """
        level, above = height // STEP * STEP, height % STEP
        first = index << above
        levels = self._tile(level, first // TILE)
        return levels[above][(first % TILE) >> above]

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
        """Return the nodes of a tile, and those above them that are complete, level by level."""
        kept = self._tiles.get((level, number))
        if kept is None:
            if len(self._tiles) >= _MOST_KEPT:
                del self._tiles[next(iter(self._tiles))]
            kept = self._tiles[level, number] = _levels(self._stored(level, number))
        return kept

    def _stored(self, level: int, number: int) -> list[bytes]:
        """Read the nodes of a tile.

        Raises:
            LookupError: one is missing in between.
        """
        first = number * TILE
        found = list(self._seals(first) if level == 0 else self._nodes(level, first))
        if any(index != place for place, (index, _value) in enumerate(found, first)):
            raise LookupError(f"A node of level {level} is missing after {first}.")
        return [bytes(value) for _index, value in found]

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
        levels.append([node_of(below[place], below[place + 1]) for place in range(0, len(below) - 1, 2)])
    return levels
