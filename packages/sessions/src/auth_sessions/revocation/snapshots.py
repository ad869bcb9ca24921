"""Snapshots: everything that a request needs from its session, in one read of the shared cache.

A snapshot copies the row of the session, the row of the user and the parts that packages register
(`auth_core.registries.snapshot_parts`), but never a password hash. It is written only under the lease that the cache
gave for a missing key, and deleted with every change.
"""

import json
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import (
    BooleanField,
    CharField,
    DateTimeField,
    EmailField,
    JSONField,
    Model,
    PositiveSmallIntegerField,
    TextField,
    UUIDField,
)
from django.utils import timezone
from django.utils.encoding import is_protected_type

from auth_core.fields import EncryptedTextField
from auth_core.models import Identity
from auth_core.people import lookup
from auth_core.request.context import current
from auth_core.runtime.redis_cache import CacheLost, Found, SharedCache, shared_cache
from auth_sessions.conf import sessions
from auth_sessions.controls import Control
from auth_sessions.models import Session
from auth_sessions.revocation import epochs

if TYPE_CHECKING:
    from django.db.models import Field

logger = logging.getLogger("auth_sessions.revocation.snapshots")

#: The format version of a snapshot. It is part of the key, so a snapshot of another version is not read.
_FORMAT = 5

#: The part of its lifetime by which a snapshot may expire early. It spreads expiry over time.
_JITTER = 0.2


@dataclass(slots=True)
class Reading:
    """A session as one request read it, and the right to write its snapshot.

    Args:
        session: The session with its user. It may have ended.
        under: The epoch that was read before the session.
        replaces: What the cache must still hold for `write`: the lease, or the snapshot that was read. ``None``: nothing
            may be written.
        is_written: Whether the cache holds a snapshot of the session.
        until: When the snapshot that was read expires. ``None`` if the session was read from the database.
    """

    session: Session
    under: bytes = b""
    replaces: bytes | None = None
    is_written: bool = False
    until: datetime | None = None


#: The readings of one request that two paths look up, by digest. Each is used once more.
_shared_readings: ContextVar[dict[str, Reading | None] | None] = ContextVar("auth_sessions_readings", default=None)


@contextmanager
def shared_readings() -> Iterator[None]:
    """Let the second lookup of a session in this block use the reading of the first."""
    token = _shared_readings.set({})
    try:
        yield
    finally:
        _shared_readings.reset(token)


def read(digest: str) -> Reading | None:
    """Return the session of *digest* as `_read` does, or as it was just read (`shared_readings`)."""
    shared = _shared_readings.get()
    if shared is None:
        return _read(digest)
    if digest in shared:
        return shared.pop(digest)
    reading = shared[digest] = _read(digest)
    return reading


def _read(digest: str) -> Reading | None:
    """Return the session of *digest* with its user, from the cache or from the database. It may have ended.

    One round trip and no query if the cache has a valid snapshot, otherwise one query on PostgreSQL. The caller calls
    `write` when it has changed what it will, so that a snapshot is written once. The cache also stores the last use to the
    millisecond, while the row lags behind.
    """
    cache = _cache()
    under = None if cache is None else epochs.value()
    if cache is None or under is None:
        session = _from_rows(digest)
        return None if session is None else Reading(session)
    entry = _entry_of(cache, digest, under)
    if entry is not None and entry.value is not None and (reading := _reading_in(entry.value, under)) is not None:
        _with_last_use(reading.session, entry.mark)
        return reading
    session = _from_rows(digest)
    if session is None:
        return None
    if entry is None:
        return Reading(session)
    _with_last_use(session, entry.mark)
    # The key is the digest of the current credential. The lease for a previous credential belongs to another key and
    # writes nothing. An unreadable snapshot is replaced.
    return Reading(session, under, replaces=entry.lease or entry.value)


def write(reading: Reading) -> None:
    """Write the snapshot of a session that was read from the database, or that this request changed.

    It replaces only the lease or the snapshot that was read. If someone has deleted it since, a change has come between,
    and nothing is written.
    """
    cache = _cache()
    if cache is None or reading.is_written or reading.replaces is None:
        return
    if epochs.is_believed(reading.under, cache.answered_by):
        reading.is_written = _fill(cache, reading)


def _entry_of(cache: SharedCache, digest: str, under: bytes) -> Found | None:
    """Return the entry of the cache if it may be used.

    The check comes after the answer because the process may have been suspended in between.
    """
    try:
        entry = cache.lookup(_key(digest), under=under, mark=_last_use_key(digest), at=_time_of_use())
    except CacheLost:
        return None
    return entry if epochs.is_believed(under, cache.answered_by) else None


def forget(*digests: str) -> None:
    """Delete the snapshots of these sessions after the change is committed.

    The answer waits until no process can use them any more (see `epochs.confirm`).
    """
    if digests:
        transaction.on_commit(partial(_forget_now, digests))


def forget_person(user_pk: Any) -> None:
    """Delete the snapshots of every live session of one user. To be called after the commit."""
    if _cache() is not None:
        _forget_now(tuple(Session.objects.filter(user_id=user_pk).live().values_list("token_digest", flat=True)))


def _reading_in(stored: bytes, under: bytes) -> Reading | None:
    """Return the session in a snapshot that is unexpired by our own clock. The clock of the cache may stop or jump."""
    try:
        snapshot = json.loads(stored.partition(b"|")[2])
        until = datetime.fromisoformat(snapshot["until"])
        if until <= timezone.now():
            return None
        return Reading(_session_from(snapshot), under, replaces=stored, is_written=True, until=until)
    except (ValueError, LookupError, TypeError, AttributeError, ValidationError) as error:
        # Never lock a user out because of a bad snapshot. The row answers.
        problem = type(error).__name__
        logger.warning("A snapshot is unreadable (%s). Using the database row.", problem, extra={"problem": problem})
        return None


def _from_rows(digest: str) -> Session | None:
    rows = Session.objects.opened_by(digest).select_related("user", "user__auth_identity")
    row = lookup.with_person_reads(lookup.with_primary_address(rows)).first()
    session: Session | None = row
    if session is not None and session.user is not None:
        lookup.remember_primary_address(session.user, row.primary_address, row.primary_verified_at)
        lookup.identity_of(session.user)
        lookup.carry_parts(session.user, lookup.parts_beside(row))
    return session


def _fill(cache: SharedCache, reading: Reading) -> bool:
    """Write the snapshot of a live session: the epoch, the idle lifetime in milliseconds, the rest as JSON.

    A snapshot that replaces another one expires with it. Otherwise the session of a busy user would never be read from
    the database again.
    """
    session, moment = reading.session, timezone.now()
    lifetime = sessions.SNAPSHOT_LIFETIME * (1 - _JITTER * random.random())  # noqa: S311 - it spreads load, it is no secret
    until = reading.until or moment + sessions.SNAPSHOT_LIFETIME
    ttl = min(lifetime, session.expires_at - moment, until - moment)
    if session.ended_at is not None or session.idle_expires_at <= moment or ttl <= timedelta(0) or not reading.replaces:
        return False
    head = reading.under + b"%d|" % (session.idle_lifetime / timedelta(milliseconds=1))
    snapshot = head + json.dumps(_snapshot(session, until), default=_json).encode()
    try:
        return cache.fill(_key(session.token_digest), reading.replaces, snapshot, ttl=ttl)
    except CacheLost:
        return False


def _with_last_use(session: Session, mark: int | None) -> Session:
    """Set the last use of *session* to the millisecond if the cache has it."""
    if mark is not None:
        session.seen_at = datetime.fromtimestamp(mark / 1000, UTC)
    return session


def _time_of_use() -> int | None:
    """Return the time of this request in Unix milliseconds, or ``None`` for a background request."""
    client = current().client
    return None if client is not None and client.is_background else int(timezone.now().timestamp() * 1000)


def _snapshot(session: Session, until: datetime) -> dict[str, Any]:
    user: Any = session.user
    return {
        "until": until,
        "session": _fields(session),
        "user": _fields(user) if user else None,
        "identity": _fields(lookup.identity_of(user)) if user else None,
        "parts": lookup.carried_parts(user) if user else {},
    }


def _session_from(snapshot: Mapping[str, Any]) -> Session:
    session: Session = _instance(Session, snapshot["session"])
    if snapshot["user"] is not None:
        user = _instance(get_user_model(), snapshot["user"])
        identity = _instance(Identity, snapshot["identity"])
        identity.user = user
        session.user = user
        lookup.carry_parts(user, snapshot["parts"])
    return session


def _fields(row: Model) -> dict[str, Any]:
    return {field.attname: _serialised(field, row) for field in _cached_fields(type(row))}


@lru_cache(maxsize=16)
def _cached_fields(model: type[Model]) -> tuple[Any, ...]:
    """Return the fields that may leave the database: no password hash and no encrypted field."""
    return tuple(
        field
        for field in model._meta.concrete_fields
        if field.name != "password" and not isinstance(field, EncryptedTextField)
    )


def _serialised(field: "Field[Any, Any]", row: Model) -> Any:
    """Return a value as JSON or as text that `Field.to_python` reads, for any field of the site's user model."""
    value = field.value_from_object(row)
    return value if is_protected_type(value) or isinstance(value, str | timedelta) else field.value_to_string(row)


def _instance(model: type[Model], stored: Mapping[str, Any]) -> Any:
    """Return a model instance as if loaded from the database, with missing fields deferred."""
    readers = [(name, read) for name, read in _readers(model) if name in stored]
    values = [None if (value := stored[name]) is None else read(value) for name, read in readers]
    return model.from_db(DEFAULT_DB_ALIAS, [name for name, _read in readers], values)


@lru_cache(maxsize=16)
def _readers(model: type[Model]) -> tuple[tuple[str, Callable[[Any], Any]], ...]:
    """Return the attribute of each cached field, and the function from its value in JSON to that of the attribute."""
    return tuple((field.attname, _READERS.get(type(field), field.to_python)) for field in _cached_fields(model))


def _unchanged(value: Any) -> Any:
    return value


#: What `Field.to_python` does to the values that `_json` and `_serialised` write, for the fields of most models.
_READERS: Mapping[type, Callable[[Any], Any]] = {
    BooleanField: _unchanged,
    CharField: _unchanged,
    DateTimeField: datetime.fromisoformat,
    EmailField: _unchanged,
    JSONField: _unchanged,
    PositiveSmallIntegerField: _unchanged,
    TextField: _unchanged,
    UUIDField: UUID,
}


def _json(value: object) -> str:
    """Serialise a value that JSON has no type for, to the microsecond."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return f"{value.total_seconds():f}"
    return str(value)


def _forget_now(digests: tuple[str, ...]) -> None:
    cache = _cache()
    if cache is not None and digests:
        epochs.confirm(_delete(cache, digests))


def _delete(cache: SharedCache, digests: Sequence[str]) -> str:
    """Delete snapshots. Return the run id of the Redis that acknowledged it, or an empty string."""
    try:
        cache.forget(*(_key(digest) for digest in digests))
    except CacheLost:
        return ""
    return cache.answered_by


def _key(digest: str) -> str:
    return f"session:{_FORMAT}:{digest}"


def _last_use_key(digest: str) -> str:
    return f"seen:{digest}"


def _cache() -> SharedCache | None:
    return shared_cache(sessions.cache_url, serves=Control.SESSION_CACHE)
