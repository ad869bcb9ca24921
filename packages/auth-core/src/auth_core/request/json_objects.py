"""Objects in JSON that others wrote. Does not use Django."""

from typing import Any


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, as the ``object_pairs_hook`` of a parser. Two readers could each use a different value (ASVS 15.3.7).

    Raises:
        ValueError: a member is repeated.
    """
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("A member is repeated.")
    return members
