"""Proofs over a Merkle tree, as RFC 6962 section 2.1 makes them; knows no database.

*node* is a function that returns the hash of a complete subtree: ``node(height, index)``
is the one over the leaves from ``index << height`` to ``(index + 1) << height``. How
proofs are checked stands in `auth_audit.offline_verifier`, which others run as well.
"""

from collections.abc import Callable, Iterator

from auth_audit.offline_verifier import node_of

Node = Callable[[int, int], bytes]


def root(size: int, node: Node) -> bytes:
    """Return the root of the first *size* leaves; *size* is not 0."""
    return _over(0, size, node)


def inclusion_path(number: int, size: int, node: Node) -> list[bytes]:
    """Return the audit path of the leaf at *number* in the tree of *size* leaves.

    Source: RFC 6962 section 2.1.1.
    """
    return list(_path(number, 0, size, node))


def consistency_path(first: int, second: int, node: Node) -> list[bytes]:
    """Return the proof that the tree of *second* leaves begins with that of *first*; empty for none and for all.

    Source: RFC 6962 section 2.1.2.
    """
    return list(_subproof(first, 0, second, node, whole=True)) if 0 < first < second else []


def _path(number: int, low: int, high: int, node: Node) -> Iterator[bytes]:
    if high - low == 1:
        return
    middle = low + _split(high - low)
    if number < middle:
        yield from _path(number, low, middle, node)
        yield _over(middle, high, node)
    else:
        yield from _path(number, middle, high, node)
        yield _over(low, middle, node)


def _subproof(first: int, low: int, high: int, node: Node, *, whole: bool) -> Iterator[bytes]:
    """Yield the proof; *whole*: the subtree is one whose hash the reader has already."""
    if first == high:
        if not whole:
            yield _over(low, high, node)
        return
    middle = low + _split(high - low)
    if first <= middle:
        yield from _subproof(first, low, middle, node, whole=whole)
        yield _over(middle, high, node)
    else:
        yield from _subproof(first, middle, high, node, whole=False)
        yield _over(low, middle, node)


def _over(low: int, high: int, node: Node) -> bytes:
    """Return the hash over leaves that begin where a complete subtree does."""
    size = high - low
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return node(height, low >> height)
    middle = low + _split(size)
    return node_of(_over(low, middle, node), _over(middle, high, node))


def _split(size: int) -> int:
    """Return the largest power of two that is smaller than *size*."""
    return 1 << (size - 1).bit_length() - 1
