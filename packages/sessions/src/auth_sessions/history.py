"""The logins of a person so far: their sessions, ended ones among them, for as long as rows are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, QuerySet

from auth_sessions.models import Device, Session
from auth_sessions.travel import Position

#: How many logins are looked back at; the index brings the latest first.
_MOST = 200

_COLUMNS = ("created_at", "network", "country", "latitude", "longitude")


@dataclass(frozen=True, slots=True)
class PastLogin:
    """One login that was granted.

    Args:
        at: When.
        network: From where; see `auth_core.request.client.Client`.
        country: ISO 3166-1 alpha-2; empty: unknown.
        position: Of the network; ``None``: unknown.
    """

    at: datetime
    network: str
    country: str
    position: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is known of a person when they sign in.

    Args:
        logins: The last 200 that were granted, the latest first.
        is_device_known: One of them was completed in this browser.
        is_device_blocked: Nobody may sign in to this account with it.
    """

    logins: Sequence[PastLogin]
    is_device_known: bool
    is_device_blocked: bool


def history_of(user: Any, *, mark: str = "") -> History:
    """Return what is known of *user* and of the browser they come with; one query.

    Two for whoever comes with a cookie and has no login any more of which we still have the row.

    Args:
        mark: Digest of the browser's secret; empty: it has none.
    """
    its_rows = Device.objects.of(user).filter(digest=mark, has_cookie=True)
    asked = (Exists(its_rows), Exists(its_rows.filter(blocked_at__isnull=False))) if mark else ()
    rows = list(Session.objects.of(user).order_by("-pk").values_list(*_COLUMNS, *asked)[:_MOST])
    known, blocked = _device_in(rows, its_rows) if mark else (False, False)
    return History(logins=[_past(row) for row in rows], is_device_known=known, is_device_blocked=blocked)


def _device_in(rows: Sequence[Sequence[Any]], its_rows: QuerySet[Device]) -> tuple[bool, bool]:
    """Return whether the device is known, and whether it is blocked: every row says it, and without one it is asked."""
    if rows:
        known, blocked = rows[0][len(_COLUMNS) :]
        return known, blocked
    device = its_rows.first()
    return device is not None, device is not None and device.blocked_at is not None


def _past(row: Sequence[Any]) -> PastLogin:
    at, network, country, north, east = row[: len(_COLUMNS)]
    return PastLogin(at, network, country, None if north is None or east is None else Position(north, east))
