"""What people type into the search of the admin site, taken for what it is, so that an index serves it."""

import ipaddress
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from auth_core.people import lookup

#: Bits of an IPv6 address that name a network: one household has all of a /64.
_PREFIX = 64

#: The longest address of a person.
_LONGEST = 320


def found_by(rows: "QuerySet[Any]", term: str, *, ids: Sequence[str], network: str = "") -> "QuerySet[Any]":
    """Return those of *rows* that *term* names: by id, by the person's public id or address, or by network.

    Args:
        ids: Columns that hold ids, such as the row's own.
        network: The column with the network; empty: there is none.
    """
    term = term.strip()[:_LONGEST]
    if (found := _uuid(term)) is not None:
        person = lookup.find_by_subject_id(found)
        named = Q(*((column, found) for column in ids), _connector=Q.OR)
        return rows.filter(named) if person is None else rows.filter(user=person)
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
    """Return what the column has for an address or a network; empty when *term* is neither."""
    try:
        address = ipaddress.ip_network(term.partition("%")[0], strict=False)
    except ValueError:
        return ""
    if address.version == 4:  # noqa: PLR2004 - the version of the Internet Protocol
        return str(address.network_address)
    return str(ipaddress.IPv6Network((int(address.network_address) >> _PREFIX << _PREFIX, _PREFIX)))
