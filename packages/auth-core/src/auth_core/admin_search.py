"""Search terms of the admin site. They are matched by exact values, so that an index serves the query.

Django's own search casts ids to text, which no index serves.
"""

import ipaddress
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from auth_core.people import lookup

#: Prefix length of an IPv6 network. One household usually has a whole /64.
_PREFIX = 64

#: Maximum length of an email address.
_MAX_LENGTH = 320


def search_rows(rows: "QuerySet[Any]", term: str, *, ids: Sequence[str], network: str = "") -> "QuerySet[Any]":
    """Return the rows that match *term*: a user's public id or identifier, an id, or a network.

    Args:
        ids: Columns that hold UUIDs, such as the row's own. They are compared if no user has this public id.
        network: The column with the network. Empty: there is none.
    """
    term = term.strip()[:_MAX_LENGTH]
    if network and (address := _network(term)):
        return rows.filter(**{network: address})
    if (person := find_person(term)) is not None:
        return rows.filter(user=person)
    identifier = _uuid(term)
    if identifier is None or not ids:
        return rows.none()
    return rows.filter(Q(*((column, identifier) for column in ids), _connector=Q.OR))


def find_person(term: str) -> Any:
    """Return the user with this public id or this identifier, or ``None``."""
    subject_id = _uuid(term)
    return lookup.find_by_identifier(term) if subject_id is None else lookup.find_by_subject_id(subject_id)


def _uuid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None


def _network(term: str) -> str:
    """Return the stored form of an address or network, or an empty string if *term* is neither."""
    try:
        address = ipaddress.ip_network(term.partition("%")[0], strict=False)
    except ValueError:
        return ""
    if address.version == 4:  # noqa: PLR2004 - the version of the Internet Protocol
        return str(address.network_address)
    return str(ipaddress.IPv6Network((int(address.network_address) >> _PREFIX << _PREFIX, _PREFIX)))
