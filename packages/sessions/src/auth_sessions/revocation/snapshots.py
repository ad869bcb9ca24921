"""Snapshots: everything that a request needs from its session, in one read of the shared cache.

A snapshot copies the row of the session, the row of the user and the parts that packages register
(`auth_core.registries.snapshot_parts`), but never a password hash. It is written only under the lease that the cache
gave for a missing key, and deleted with every change.
"""

import json
import logging
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Model
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


def read(digest: str) -> Session | None:
    """Return the session of *digest* with its user, from the cache or from the database. It may have ended.

    One round trip and no query if the cache has a valid snapshot, otherwise two queries. The cache also stores the last
    use to the millisecond, while the row lags behind.
    """
    cache = _cache()
    under = None if cache is None else epochs.value()
    if cache is None or under is None:
        return _from_rows(digest)
    entry = _entry_of(cache, digest, under)
    if entry is not None and entry.value is not None and (session := _session_in(entry.value)) is not None:
        return _with_last_use(session, entry.mark)
    session = _from_rows(digest)
    if entry is not None and session is not None:
        _with_last_use(session, entry.mark)
        _replace(cache, entry, under, session)
    return session


def _entry_of(cache: SharedCache, digest: str, under: bytes) -> Found | None:
    """Return the entry of the cache if it may be used.

    The check comes after the answer because the process may have been suspended in between.
    """
    try:
        entry = cache.lookup(_key(digest), under=under, mark=_last_use_key(digest), at=_time_of_use())
    except CacheLost:
        return None
    return entry if epochs.is_believed(under, cache.answered_by) else None


def _replace(cache: SharedCache, entry: Found, under: bytes, session: Session) -> None:
    """Write a snapshot of the rows, under the epoch that was read before them."""
    if entry.value is not None:
        # The snapshot is unreadable. Delete it, so that the next reader writes a new one.
        drop(session.token_digest)
    elif entry.lease is not None and epochs.is_believed(under, cache.answered_by):
        # The key is the digest of the current credential. The lease for a previous credential belongs to another key
        # and writes nothing.
        _fill(cache, session.token_digest, entry.lease, under, session)


def forget(*digests: str) -> None:
    """Delete the snapshots of these sessions after the change is committed.

    The answer waits until no process can use them any more (see `epochs.confirm`).
    """
    if digests:
        transaction.on_commit(partial(_forget_now, digests))


def drop(*digests: str) -> None:
    """Delete snapshots that lag in nothing that matters, such as the last use. The caller does not wait."""
    cache = _cache()
    if cache is not None:
        _delete(cache, digests)


def forget_person(user_pk: Any) -> None:
    """Delete the snapshots of every live session of one user. To be called after the commit."""
    if _cache() is not None:
        _forget_now(tuple(Session.objects.filter(user_id=user_pk).live().values_list("token_digest", flat=True)))


def _session_in(stored: bytes) -> Session | None:
    """Return the session in a snapshot that is unexpired by our own clock. The clock of the cache may stop or jump."""
    try:
        snapshot = json.loads(stored.partition(b"|")[2])
        is_fresh = datetime.fromisoformat(snapshot["until"]) > timezone.now()
        return _session_from(snapshot) if is_fresh else None
    except (ValueError, LookupError, TypeError, AttributeError, ValidationError) as error:
        # Never lock a user out because of a bad snapshot. The row answers.
        problem = type(error).__name__
        logger.warning("A snapshot is unreadable (%s). Using the database row.", problem, extra={"problem": problem})
        return None


def _from_rows(digest: str) -> Session | None:
    rows = Session.objects.opened_by(digest).select_related("user", "user__auth_identity")
    row = lookup.with_primary_address(rows).first()
    session: Session | None = row
    if session is not None and session.user is not None:
        lookup.remember_primary_address(session.user, row.primary_address, row.primary_verified_at)
        lookup.identity_of(session.user)
        lookup.carry_parts(session.user, lookup.all_parts_of(session.user))
    return session


def _fill(cache: SharedCache, digest: str, lease: bytes, under: bytes, session: Session) -> None:
    """Write the snapshot of a live session: the epoch, the idle lifetime in milliseconds, the rest as JSON."""
    lifetime = sessions.SNAPSHOT_LIFETIME * (1 - _JITTER * random.random())  # noqa: S311 - it spreads load, it is no secret
    ttl = min(lifetime, session.expires_at - timezone.now())
    if session.ended_at is None and session.idle_expires_at > timezone.now() and ttl > timedelta(0):
        head = under + b"%d|" % (session.idle_lifetime / timedelta(milliseconds=1))
        try:
            cache.fill(_key(digest), lease, head + json.dumps(_snapshot(session), default=_json).encode(), ttl=ttl)
        except CacheLost:
            return


def _with_last_use(session: Session, mark: int | None) -> Session:
    """Set the last use of *session* to the millisecond if the cache has it."""
    if mark is not None:
        session.seen_at = datetime.fromtimestamp(mark / 1000, UTC)
    return session


def _time_of_use() -> int | None:
    """Return the time of this request in Unix milliseconds, or ``None`` for a background request."""
    client = current().client
    return None if client is not None and client.is_background else int(timezone.now().timestamp() * 1000)


def _snapshot(session: Session) -> dict[str, Any]:
    user: Any = session.user
    return {
        "until": timezone.now() + sessions.SNAPSHOT_LIFETIME,
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
    fields = [field for field in _cached_fields(model) if field.attname in stored]
    values = [field.to_python(stored[field.attname]) for field in fields]
    return model.from_db(DEFAULT_DB_ALIAS, [field.attname for field in fields], values)


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
