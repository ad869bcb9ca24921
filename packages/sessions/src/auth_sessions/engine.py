"""The session engine: ``SESSION_ENGINE = "auth_sessions.engine"``.

It implements Django's session interface on the `Session` model. The session key in the cookie is the credential. The
table stores only its digest. The engine also serves sites that log in with `django.contrib.auth.login`.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import IntegrityError, transaction
from django.utils import timezone

from auth_core.assurance.evidence import SessionFacts
from auth_core.contracts import LimitReached, Purpose, Transport
from auth_core.crypto.secrets import digest, new_secret
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_sessions import concurrency, lifecycle
from auth_sessions.conf import sessions
from auth_sessions.events import SessionEvent
from auth_sessions.models import Session
from auth_sessions.revocation import snapshots
from auth_sessions.revocation.session_lookup import is_credential, look_up_session
from auth_sessions.session_columns import PREFIX, client_columns, record_opened

#: Django's session keys that have columns of their own.
_AUTH_KEYS = (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY)

#: The key in which `SessionBase.set_expiry` stores the expiry.
_EXPIRY_KEY = "_session_expiry"

#: The assurance of a site's own login, about which we know nothing.
_OWN_LOGIN = "aal0"


class SessionStore(SessionBase):
    """One session, identified by its credential and loaded lazily."""

    # Attributes of Django's base class that its type stubs lack.
    _session_cache: dict[str, Any]
    _get_session: Callable[..., dict[str, Any]]

    def __init__(self, session_key: str | None = None) -> None:
        self._row: Session | None = None
        self._loaded: dict[str, Any] | None = None
        super().__init__(session_key)

    @classmethod
    def of(cls, row: Session, credential: str) -> "SessionStore":
        """Return the store of a session that was just opened or raised. It needs no read."""
        store = cls(credential)
        store._row = row
        store._loaded = _data_of(row)
        store._session_cache = deepcopy(store._loaded)
        return store

    @property
    def facts(self) -> SessionFacts | None:
        """The public facts of this session. ``None`` while no user is signed in."""
        row = self.row
        return row.facts if row is not None and row.user_id is not None else None

    @property
    def row(self) -> Session | None:
        """The session's row, from the cache or the database."""
        self._get_session()
        return self._row

    def load(self) -> dict[str, Any]:
        """Return the site's data of this session together with Django's own keys."""
        self._row = look_up_session(str(self.session_key), transport=Transport.COOKIE)
        if self._row is None:
            self._session_key = None
            return {}
        self._loaded = _data_of(self._row)
        return deepcopy(self._loaded)

    def exists(self, session_key: str) -> bool:
        """Tell whether *session_key* is in use."""
        return Session.objects.filter(token_digest=digest(session_key)).exists()

    def create(self) -> None:
        """Begin a session with a new credential."""
        self._session_key = new_secret(PREFIX)
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Write changes. Without changes it makes no query.

        Raises:
            UpdateError: the session has ended meanwhile and is not restored, or the user who signs in is at the session
                limit and the policy ends no session.
            CreateError: the key is in use.
            TypeError: the site's data is not JSON serialisable.
        """
        if self.session_key is None:
            self.create()
            return
        if must_create:
            self._insert()
        elif hasattr(self, "_session_cache") and self._session_cache != self._loaded:
            self._update()
        if hasattr(self, "_session_cache"):
            self._loaded = deepcopy(self._session_cache)

    def cycle_key(self) -> None:
        """Replace the credential. The same statement invalidates the old one.

        The row keeps its evidence, public id and expiry. Django's own engines copy the session, which would prolong it
        without limit and could restore one that has just ended.

        Raises:
            SessionInterrupted: the session has ended meanwhile (Django answers 400).
        """
        row = self.row
        if row is None:
            super().cycle_key()
            return
        credential = new_secret(PREFIX)
        old, new = row.token_digest, digest(credential)
        if (
            not Session.objects.live()
            .filter(pk=row.pk, token_digest=old)
            .update(token_digest=new, previous_digest=None)
        ):
            raise SessionInterrupted("The session has ended.")
        snapshots.forget(old)
        row.token_digest = new
        self._session_key = credential
        self.modified = True

    def rotate_if_due(self) -> None:
        """Replace the credential if a rotation is due and this request has read the session.

        The first of several parallel requests rotates. The others carry the old credential, which stays valid for
        `ROTATION_GRACE`, and do not rotate.
        """
        row = self._row
        if row is None or not row.rotates:
            return
        credential, moment = new_secret(PREFIX), timezone.now()
        old, new = row.token_digest, digest(credential)
        due = Session.objects.live().filter(pk=row.pk, token_digest=old, rotates=True)
        until = moment + sessions.ROTATION_GRACE
        with transaction.atomic():
            if not due.update(token_digest=new, rotates=False, previous_digest=old, previous_until=until):
                return
            record(Event(name=SessionEvent.SESSION_ROTATED, subject=row.user, session=row.pk))
        snapshots.forget(old)
        row.token_digest, row.rotates = new, False
        self._session_key = credential
        self.modified = True

    async def acycle_key(self) -> None:
        """Do the same as `cycle_key`. Django's version would copy the session."""
        await sync_to_async(self.cycle_key)()

    def delete(self, session_key: str | None = None) -> None:
        """End the session. Its row is kept for the audit trail, an anonymous one is deleted."""
        key = session_key or self.session_key
        if key is None:
            return
        row = Session.objects.opened_by(digest(key)).select_related("user").first()
        if row is not None and row.user is not None:
            lifecycle.end_session(session_id=row.pk, user=row.user, reason="logout")
        elif row is not None:
            row.delete()
        if key == self.session_key:
            self._row, self._loaded = None, None

    @classmethod
    def clear_expired(cls) -> None:
        """Delete dead rows, for Django's ``clearsessions``."""
        lifecycle.delete_dead()

    def get_session_cookie_age(self) -> int:
        """Return the lifetime of the cookie in seconds. It never exceeds that of the session."""
        if self._row is None or self._row.user_id is None:
            return int(sessions.LIFETIMES[_OWN_LOGIN][1].total_seconds())
        return max(0, int((self._row.expires_at - timezone.now()).total_seconds()))

    def _validate_session_key(self, key: str) -> bool:
        """Refuse a key with the wrong format, without a lookup."""
        return bool(key) and is_credential(key)

    def _insert(self) -> None:
        data = self._get_session(no_load=True)
        row = Session(token_digest=digest(str(self.session_key)), transport=Transport.COOKIE.value, **client_columns())
        _apply(row, {**_fresh_columns(data), **_columns(data)})
        try:
            with _room_for(row.user_id) as start:
                _apply(row, start)
                row.save(force_insert=True)
                _record_if_signed_in(row)
        except IntegrityError as error:
            raise CreateError from error
        self._row = row

    def _update(self) -> None:
        # A site that cleared the session before reading it has data and no row yet.
        row = self._row or look_up_session(str(self.session_key), transport=Transport.COOKIE)
        if row is None:
            raise UpdateError
        changes = _changes(row, self._session_cache)
        signs_in = changes["user_id"] not in {None, row.user_id}
        with _room_for(changes["user_id"] if signs_in else None) as start:
            changes |= start
            if not Session.objects.live().filter(pk=row.pk, token_digest=row.token_digest).update(**changes):
                raise UpdateError
            _apply(row, changes)
            if signs_in:
                _record_if_signed_in(row)
        self._row = row
        snapshots.forget(row.token_digest)


def _data_of(row: Session) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(row.data)
    if row.user is None:
        return data
    signed_in = {SESSION_KEY: str(row.user.pk), BACKEND_SESSION_KEY: row.backend, HASH_SESSION_KEY: row.auth_hash}
    return {**data, **signed_in}


def _columns(data: dict[str, Any]) -> dict[str, Any]:
    """Return the columns for *data*. Django's login keys have columns of their own."""
    user_pk = data.get(SESSION_KEY)
    return {
        "data": json.dumps({key: value for key, value in data.items() if key not in _AUTH_KEYS}),
        "user_id": None if user_pk is None else get_user_model()._meta.pk.to_python(user_pk),
        "backend": data.get(BACKEND_SESSION_KEY, ""),
        "auth_hash": data.get(HASH_SESSION_KEY, ""),
    }


def _changes(row: Session, data: dict[str, Any]) -> dict[str, Any]:
    """Return what *data* changes in *row*.

    A new user resets evidence, lifetime, application and actor. Otherwise the lifetime is not prolonged.
    """
    changes = _columns(data)
    if changes["user_id"] != row.user_id:
        parties = {"application_id": None, "actor_id": None}
        return {**client_columns(), **changes, **_fresh_columns(data), **parties, "evidence_stored": []}
    idle, end = _limited_expiry(data, row.facts.acr, row.expires_at)
    return {**changes, "idle_lifetime": idle, "expires_at": end}


def _fresh_columns(data: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a session that begins now without evidence."""
    moment = timezone.now()
    idle, end = _limited_expiry(data, _OWN_LOGIN, moment + sessions.LIFETIMES[_OWN_LOGIN][1])
    signed_in = moment if SESSION_KEY in data else None
    return {"authenticated_at": signed_in, "last_seen_at": moment, "idle_lifetime": idle, "expires_at": end}


def _limited_expiry(data: dict[str, Any], acr: str, end: datetime) -> tuple[timedelta, datetime]:
    """Return idle lifetime and end as set by the site's ``set_expiry``, limited by our own."""
    idle, expiry = sessions.LIFETIMES[acr][0], data.get(_EXPIRY_KEY)
    if isinstance(expiry, str):
        return idle, min(end, datetime.fromisoformat(expiry))
    return (min(idle, timedelta(seconds=expiry)) if expiry else idle), end


def _apply(row: Session, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(row, name, value)


@contextmanager
def _room_for(user_pk: Any) -> Iterator[dict[str, Any]]:
    """Open a transaction in which the user may open one more session. Yield the columns that hold its start.

    Raises:
        UpdateError: there is no room. It is recorded as a denied login. Django answers 400.
    """
    person = Session(user_id=user_pk).user if user_pk is not None and concurrency.is_configured() else None
    try:
        with transaction.atomic():
            start = concurrency.make_room(user=person) if person is not None else None
            yield {} if start is None else {"created_at": start}
    except LimitReached:
        with transaction.atomic():
            record(
                Event(
                    name=AuthEvent.LOGIN_DENIED,
                    subject=person,
                    outcome=EventOutcome.DENIED,
                    reason=concurrency.REASON,
                    data={"purpose": Purpose.LOGIN.value},
                )
            )
        raise UpdateError("The session limit is reached.") from None


def _record_if_signed_in(row: Session) -> None:
    """Record a session that the site's own login opened. Anonymous sessions are not recorded."""
    if row.user is not None:
        record_opened(row, reason="site")
