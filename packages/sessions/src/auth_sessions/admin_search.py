"""Search terms of the admin site. They are matched by exact values, so that an index serves the query."""

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


def found_by(rows: "QuerySet[Any]", term: str, *, ids: Sequence[str], network: str = "") -> "QuerySet[Any]":
    """Return the rows that match *term*: an id, the public id or the address of a user, or a network.

    Args:
        ids: Columns that hold ids, such as the row's own.
        network: The column with the network. Empty: there is none.
    """
    term = term.strip()[:_MAX_LENGTH]
    if (identifier := _uuid(term)) is not None:
        person = lookup.find_by_subject_id(identifier)
        has_id = Q(*((column, identifier) for column in ids), _connector=Q.OR)
        return rows.filter(has_id) if person is None else rows.filter(user=person)
    if network and (address := _network(term)):
        return rows.filter(**{network: address})
    person = lookup.find_by_identifier(term)
    return rows.none() if person is None else rows.filter(user=person)


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
