"""The past logins of a user: their sessions, including ended ones, for as long as rows are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Exists, QuerySet

from auth_core.memo import Memo
from auth_core.users import UserLike
from auth_sessions.models import Device, Session
from auth_sessions.travel import Position

#: Maximum number of past logins. The index returns the latest first.
_MOST = 200

_COLUMNS = ("created_at", "network", "country", "latitude", "longitude")


class _LoginRow(NamedTuple):
    """The columns of a past session, and the state of the current browser, which is the same in every row."""

    at: datetime
    network: str
    country: str
    latitude: float | None
    longitude: float | None
    is_device_known: bool = False
    is_device_blocked: bool = False


@dataclass(frozen=True, slots=True)
class PastLogin:
    """A login that was granted.

    Args:
        at: When it was granted.
        network: The network of the client. See `auth_core.request.client.Client`.
        country: ISO 3166-1 alpha-2. Empty: unknown.
        position: Position of the network. ``None``: unknown.
    """

    at: datetime
    network: str
    country: str
    position: Position | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What is recorded about a user when they sign in.

    Args:
        logins: The last 200 granted logins, the latest first.
        is_device_known: The user has completed a login in this browser.
        is_device_blocked: This browser is blocked for the user.
    """

    logins: Sequence[PastLogin]
    is_device_known: bool
    is_device_blocked: bool


class _Read(NamedTuple):
    """A history that a login has read, and the mark of the browser that it is about."""

    mark: str
    history: History


#: On a user: the history that a login has just read.
_READ: Memo[_Read] = Memo("auth_sessions.history")


def history_of(user: UserLike, *, mark: str = "") -> History:
    """Return the history of *user* and of the browser they use. One query.

    Sessions in which another person acted say nothing about the user.

    Two queries for a client with a device cookie when no session of the user is kept. None if the login has just read
    it, together with other packages.

    Args:
        mark: Digest of the browser's secret. Empty: it has none.
    """
    read = _READ.take(user)
    if read is not None and read.mark == mark:
        return read.history
    device_rows = Device.objects.of(user).filter(digest=mark, has_cookie=True)
    device_columns = (Exists(device_rows), Exists(device_rows.filter(blocked_at__isnull=False))) if mark else ()
    newest = Session.objects.of(user).in_person().order_by("-pk").values_list(*_COLUMNS, *device_columns)[:_MOST]
    rows = [_LoginRow(*row) for row in newest]
    is_known, is_blocked = _device_in(rows, device_rows) if mark else (False, False)
    return History(logins=[_past_login(row) for row in rows], is_device_known=is_known, is_device_blocked=is_blocked)


def person_sql(user: str) -> str:
    """Return a subquery for the history of a person, in PostgreSQL's SQL: the rows, and the device's block.

    The device is an array with one member if the person knows it: whether it is blocked.
    """
    return f"""SELECT json_build_object(
      'mark', CAST(%(sessions_mark)s AS text),
      'logins', (SELECT json_agg(json_build_array({", ".join(_COLUMNS)}) ORDER BY id DESC) FROM (
        SELECT id, {", ".join(_COLUMNS)} FROM {Session._meta.db_table}
        WHERE user_id = {user} AND actor_id IS NULL ORDER BY id DESC LIMIT {_MOST}) AS login),
      'device', (SELECT json_agg(blocked_at IS NOT NULL) FROM {Device._meta.db_table}
        WHERE user_id = {user} AND digest = CAST(%(sessions_mark)s AS text) AND has_cookie))"""  # noqa: S608 - names of our own models


def keep(user: UserLike, stored: Any) -> None:
    """Keep the value of `person_sql` on *user* for the next `history_of` of the same browser."""
    rows = [_LoginRow(datetime.fromisoformat(at), *columns) for at, *columns in stored["logins"] or ()]
    is_blocked = stored["device"] or ()
    history = History(
        logins=[_past_login(row) for row in rows], is_device_known=bool(is_blocked), is_device_blocked=any(is_blocked)
    )
    _READ.keep(user, _Read(stored["mark"], history))


def _device_in(rows: Sequence[_LoginRow], device_rows: QuerySet[Device]) -> tuple[bool, bool]:
    """Return whether the device is known, and whether it is blocked. Every row has both; without rows they are queried."""
    if rows:
        return rows[0].is_device_known, rows[0].is_device_blocked
    device = device_rows.first()
    return device is not None, device is not None and device.blocked_at is not None


def _past_login(row: _LoginRow) -> PastLogin:
    north, east = row.latitude, row.longitude
    position = None if north is None or east is None else Position(north, east)
    return PastLogin(row.at, row.network, row.country, position)
