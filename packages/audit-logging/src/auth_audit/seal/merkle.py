"""Proofs over a Merkle tree, as RFC 6962 section 2.1 makes them. Independent of the database.

*node* is a function that returns the hash of a complete subtree: ``node(height, index)`` is the hash over the
leaves from ``index << height`` to ``(index + 1) << height``. The verification of proofs is in
`auth_audit.offline_verifier`.
"""

from collections.abc import Callable, Iterator

from auth_audit.offline_verifier import node_hash

Node = Callable[[int, int], bytes]


def root(size: int, node: Node) -> bytes:
    """Return the root hash of the first *size* leaves. *size* is greater than 0."""
    return _hash_over(0, size, node)


def inclusion_path(number: int, size: int, node: Node) -> list[bytes]:
    """Return the audit path of the leaf at *number* in the tree of *size* leaves.

    Source: RFC 6962 section 2.1.1.
    """
    return list(_path(number, 0, size, node))


def consistency_path(first: int, second: int, node: Node) -> list[bytes]:
    """Return the proof that the tree of *second* leaves begins with the tree of *first*.

    It is empty if *first* is 0 or equal to *second*.

    Source: RFC 6962 section 2.1.2.
    """
    return list(_subproof(first, 0, second, node, whole=True)) if 0 < first < second else []


def _path(number: int, low: int, high: int, node: Node) -> Iterator[bytes]:
    if high - low == 1:
        return
    middle = low + _split(high - low)
    if number < middle:
        yield from _path(number, low, middle, node)
        yield _hash_over(middle, high, node)
    else:
        yield from _path(number, middle, high, node)
        yield _hash_over(low, middle, node)


def _subproof(first: int, low: int, high: int, node: Node, *, whole: bool) -> Iterator[bytes]:
    """Yield the proof. *whole* means that the verifier already has the hash of this subtree."""
    if first == high:
        if not whole:
            yield _hash_over(low, high, node)
        return
    middle = low + _split(high - low)
    if first <= middle:
        yield from _subproof(first, low, middle, node, whole=whole)
        yield _hash_over(middle, high, node)
    else:
        yield from _subproof(first, middle, high, node, whole=False)
        yield _hash_over(low, middle, node)


def _hash_over(low: int, high: int, node: Node) -> bytes:
    """Return the hash over the leaves from *low* to *high*. *low* is where a complete subtree begins."""
    size = high - low
    if size & (size - 1) == 0:
        height = size.bit_length() - 1
        return node(height, low >> height)
    middle = low + _split(size)
    return node_hash(_hash_over(low, middle, node), _hash_over(middle, high, node))


def _split(size: int) -> int:
    """Return the largest power of two smaller than *size*."""
    return 1 << (size - 1).bit_length() - 1
