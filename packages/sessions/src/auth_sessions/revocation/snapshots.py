"""Snapshots: everything that a request asks of its session, in one read of the shared cache.

A snapshot copies the session's row, the user's and what packages add to it
(`auth_core.registries.snapshot_parts`), never a password's hash. It is written only
under the lease of whoever found none, and forgotten with every change.
"""

import json
import logging
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any

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

logger = logging.getLogger("auth_sessions.revocation.snapshots")

#: The form of a snapshot; another form has other keys, and one that was written before an upgrade is not read.
_FORM = 4

#: How much sooner than its lifetime a snapshot may go, so that those of one moment do not all go at one moment.
_JITTER = 0.2


def read(digest: str) -> Session | None:
    """Return the session that *digest* names, with its user, from the cache or from its row; ended ones, too.

    Two queries when the cache has none or is not to be believed, and one round trip and
    no query when it has. The cache also knows to the millisecond when the session was
    used last; the row lags behind.
    """
    cache = _cache()
    under = None if cache is None else epochs.value()
    if cache is None or under is None:
        return _from_rows(digest)
    found = _look(cache, digest, under)
    if found is not None and found.value is not None and (session := _believed(found.value)) is not None:
        return _seen(session, found.mark)
    session = _from_rows(digest)
    if found is not None and session is not None:
        _seen(session, found.mark)
        _replace(cache, found, under, session)
    return session


def _look(cache: SharedCache, digest: str, under: bytes) -> Found | None:
    """Return what the cache says, if it may be believed; asked after the answer: a stopped process took it long ago."""
    try:
        found = cache.lookup(_key(digest), under=under, mark=_seen_key(digest), at=_moment_of_use())
    except CacheLost:
        return None
    return found if epochs.is_believed(under, cache.answered_by) else None


def _replace(cache: SharedCache, found: Found, under: bytes, session: Session) -> None:
    """Write what the rows say, under the epoch that was known before they were read."""
    if found.value is not None:
        # It could not be read; the next reader finds none, and writes a better one.
        drop(session.token_digest)
    elif found.lease is not None and epochs.is_believed(under, cache.answered_by):
        # Under the digest of its present credential: the lease of one before is another, and writes nothing.
        _fill(cache, session.token_digest, found.lease, under, session)


def forget(*digests: str) -> None:
    """Drop the snapshots of these sessions, once the change that they do not show is committed.

    The answer waits until no process can show them any more (see `epochs.confirm`).
    """
    if digests:
        transaction.on_commit(partial(_forget_now, digests))


def drop(*digests: str) -> None:
    """Drop snapshots that are behind in nothing that matters, such as when a session was used; nobody waits for it."""
    cache = _cache()
    if cache is not None:
        _delete(cache, digests)


def forget_person(user_pk: Any) -> None:
    """Drop the snapshots of every live session of one person; called after the commit."""
    if _cache() is not None:
        _forget_now(tuple(Session.objects.filter(user_id=user_pk).live().values_list("token_digest", flat=True)))


def _believed(found: bytes) -> Session | None:
    """Return what a snapshot says, for its lifetime by our own clock, too; the cache's may stand still or jump."""
    try:
        snapshot = json.loads(found.partition(b"|")[2])
        fresh = datetime.fromisoformat(snapshot["until"]) > timezone.now()
        return _restored(snapshot) if fresh else None
    except (ValueError, LookupError, TypeError, AttributeError, ValidationError) as error:
        # Whatever it is, nobody is shut out by it: the row answers.
        logger.warning("A snapshot cannot be read; the row answers.", extra={"problem": type(error).__name__})
        return None


def _from_rows(digest: str) -> Session | None:
    rows = Session.objects.opened_by(digest).select_related("user", "user__auth_identity")
    found = lookup.with_primary_address(rows).first()
    session: Session | None = found
    if session is not None and session.user is not None:
        lookup.remember_primary_address(session.user, found.primary_address, found.primary_verified_at)
        lookup.identity_of(session.user)
        lookup.carry_parts(session.user, lookup.all_parts_of(session.user))
    return session


def _fill(cache: SharedCache, digest: str, lease: bytes, under: bytes, session: Session) -> None:
    """Write the snapshot of a session that is alive: the epoch, the idle lifetime in milliseconds, the rest."""
    lifetime = sessions.SNAPSHOT_LIFETIME * (1 - _JITTER * random.random())  # noqa: S311 - spreads load, hides nothing
    ttl = min(lifetime, session.expires_at - timezone.now())
    if session.ended_at is None and session.idle_expires_at > timezone.now() and ttl > timedelta(0):
        head = under + b"%d|" % (session.idle_lifetime / timedelta(milliseconds=1))
        try:
            cache.fill(_key(digest), lease, head + json.dumps(_snapshot(session), default=_json).encode(), ttl=ttl)
        except CacheLost:
            return


def _seen(session: Session, mark: int | None) -> Session:
    """Let *session* say when it was used last: to the millisecond, where the cache knows."""
    if mark is not None:
        session.seen_at = datetime.fromtimestamp(mark / 1000, UTC)
    return session


def _moment_of_use() -> int | None:
    """Return when this request uses its session, in Unix milliseconds; one that nobody is behind uses nothing."""
    client = current().client
    return None if client is not None and client.is_background else int(timezone.now().timestamp() * 1000)


def _snapshot(session: Session) -> dict[str, Any]:
    user: Any = session.user
    return {
        "until": timezone.now() + sessions.SNAPSHOT_LIFETIME,
        "session": _fields(session),
        "user": _fields(user) if user else None,
        "identity": _fields(lookup.identity_of(user)) if user else None,
        "parts": user.auth_snapshot if user else {},
    }


def _restored(snapshot: Mapping[str, Any]) -> Session:
    session: Session = _instance(Session, snapshot["session"])
    if snapshot["user"] is not None:
        user = _instance(get_user_model(), snapshot["user"])
        identity = _instance(Identity, snapshot["identity"])
        identity.user = user
        session.user = user
        lookup.carry_parts(user, snapshot["parts"])
    return session


def _fields(row: Model) -> dict[str, Any]:
    return {field.attname: _stored(field, row) for field in _shown_fields(type(row))}


@lru_cache(maxsize=16)
def _shown_fields(model: type[Model]) -> tuple[Any, ...]:
    """Return the fields that may leave the database: no password's hash, nothing that is encrypted there."""
    return tuple(
        field
        for field in model._meta.concrete_fields
        if field.name != "password" and not isinstance(field, EncryptedTextField)
    )


def _stored(field: Any, row: Model) -> Any:
    """Return a value as JSON has it or as `Field.to_python` reads it, whatever fields a site's user model has."""
    value = field.value_from_object(row)
    return value if is_protected_type(value) or isinstance(value, str | timedelta) else field.value_to_string(row)


def _instance(model: type[Model], stored: Mapping[str, Any]) -> Any:
    """Return a row as the database would have, with what was not stored deferred."""
    known = [field for field in _shown_fields(model) if field.attname in stored]
    values = [field.to_python(stored[field.attname]) for field in known]
    return model.from_db(DEFAULT_DB_ALIAS, [field.attname for field in known], values)


def _json(value: Any) -> str:
    """Write what JSON has no word for, to the microsecond."""
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
    """Delete snapshots; return the run of the Redis that acknowledged it, and nothing when none did."""
    try:
        cache.forget(*(_key(digest) for digest in digests))
    except CacheLost:
        return ""
    return cache.answered_by


def _key(digest: str) -> str:
    return f"session:{_FORM}:{digest}"


def _seen_key(digest: str) -> str:
    return f"seen:{digest}"


def _cache() -> SharedCache | None:
    return shared_cache(sessions.cache_url, serves=Control.SESSION_CACHE)
