"""The logins of a person so far: their sessions, ended ones among them, for as long as rows are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from auth_sessions.models import Session
from auth_sessions.travel import Position

#: How many logins are looked back at; the index brings the latest first.
_MOST = 200


@dataclass(frozen=True, slots=True)
class PastLogin:
    """One login that was granted.

    Args:
        at: When.
        network: From where; see `auth_core.client.Client`.
        country: ISO 3166-1 alpha-2; empty: unknown.
        position: Of the network; ``None``: unknown.
    """

    at: datetime
    network: str
    country: str
    position: Position | None


def logins_of(user: Any) -> Sequence[PastLogin]:
    """Return the last 200 logins of *user*, the latest first; one query."""
    rows = Session.objects.of(user).order_by("-pk")[:_MOST]
    columns = rows.values_list("created_at", "network", "country", "latitude", "longitude")
    return [
        PastLogin(at, network, country, None if north is None or east is None else Position(north, east))
        for at, network, country, north, east in columns
    ]
