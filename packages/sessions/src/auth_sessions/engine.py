"""The session engine: ``SESSION_ENGINE = "auth_sessions.engine"``.

Django's own interface over our rows. The session key in the cookie is the credential;
the table has only its digest. It also serves a site that logs in with
`django.contrib.auth.login`.
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
from auth_sessions.revocation.session_lookup import is_credential, restore
from auth_sessions.session_columns import PREFIX, client_columns, record_opened

#: Django's keys that have columns of their own.
_AUTH_KEYS = (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY)

#: Where `SessionBase.set_expiry` keeps what a site wishes.
_EXPIRY_KEY = "_session_expiry"

#: What a site's own login proves, as far as we know.
_OWN_LOGIN = "aal0"


class SessionStore(SessionBase):
    """One session, by its credential; loaded when first asked."""

    # What Django's base class has and its type stubs do not.
    _session_cache: dict[str, Any]
    _get_session: Callable[..., dict[str, Any]]

    def __init__(self, session_key: str | None = None) -> None:
        self._row: Session | None = None
        self._loaded: dict[str, Any] | None = None
        super().__init__(session_key)

    @classmethod
    def of(cls, row: Session, credential: str) -> "SessionStore":
        """Return the store of a session that was opened or raised just now, by its new credential; it need not be read."""
        store = cls(credential)
        store._row = row
        store._loaded = _data_of(row)
        store._session_cache = deepcopy(store._loaded)
        return store

    @property
    def facts(self) -> SessionFacts | None:
        """What anybody may know of this session; ``None`` while nobody is signed in."""
        row = self.row
        return row.facts if row is not None and row.user_id is not None else None

    @property
    def row(self) -> Session | None:
        """The session's row, from the cache or the database."""
        self._get_session()
        return self._row

    def load(self) -> dict[str, Any]:
        """Return what the site keeps in this session, with Django's own keys."""
        self._row = restore(str(self.session_key), transport=Transport.COOKIE)
        if self._row is None:
            self._session_key = None
            return {}
        self._loaded = _data_of(self._row)
        return deepcopy(self._loaded)

    def exists(self, session_key: str) -> bool:
        """Say whether *session_key* is taken."""
        return Session.objects.filter(token_digest=digest(session_key)).exists()

    def create(self) -> None:
        """Begin a session under a new credential."""
        self._session_key = new_secret(PREFIX)
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Write what changed; nothing when nothing did.

        Raises:
            UpdateError: the session has ended meanwhile, and does not come back; or the person who
                signs in has as many as they may, and the policy ends none.
            CreateError: the key is taken.
            TypeError: the site keeps something that JSON has no form for.
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
        """Go on under a new credential; the old one is dead with the same statement.

        The row stays: what was proved in it, its public id, and the end of its life. A
        copy of it, as Django's own engines make, would let a session live for ever, and
        let one come back that was ended a moment ago.

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
        """Go on under a new credential, if somebody asked for it; only where the session was read anyway.

        Of the requests of one page the first rotates; those beside it carry the old
        credential, which stays good for `ROTATION_GRACE`, and are left alone.
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
        """As `cycle_key`; Django's would make a copy."""
        await sync_to_async(self.cycle_key)()

    def delete(self, session_key: str | None = None) -> None:
        """End the session; the row stays for the trail, one of nobody goes."""
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
        """Return the seconds that the cookie lasts: as long as the session at most, whatever the site's default."""
        if self._row is None or self._row.user_id is None:
            return int(sessions.LIFETIMES[_OWN_LOGIN][1].total_seconds())
        return max(0, int((self._row.expires_at - timezone.now()).total_seconds()))

    def _validate_session_key(self, key: str) -> bool:
        """Take nothing for a key that cannot be one: it is not even looked up."""
        return bool(key) and is_credential(key)

    def _insert(self) -> None:
        data = self._get_session(no_load=True)
        row = Session(token_digest=digest(str(self.session_key)), transport=Transport.COOKIE.value, **client_columns())
        _change(row, {**_began(data), **_columns(data)})
        try:
            with _room_for(row.user_id) as began:
                _change(row, began)
                row.save(force_insert=True)
                _record_if_signed_in(row)
        except IntegrityError as error:
            raise CreateError from error
        self._row = row

    def _update(self) -> None:
        # A site that cleared the session before it read it has data and no row yet.
        row = self._row or restore(str(self.session_key), transport=Transport.COOKIE)
        if row is None:
            raise UpdateError
        changes = _changes(row, self._session_cache)
        signs_in = changes["user_id"] not in {None, row.user_id}
        with _room_for(changes["user_id"] if signs_in else None) as began:
            changes |= began
            if not Session.objects.live().filter(pk=row.pk, token_digest=row.token_digest).update(**changes):
                raise UpdateError
            _change(row, changes)
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
    """Return the columns for *data*: who is signed in has columns of its own."""
    user_pk = data.get(SESSION_KEY)
    return {
        "data": json.dumps({key: value for key, value in data.items() if key not in _AUTH_KEYS}),
        "user_id": None if user_pk is None else get_user_model()._meta.pk.to_python(user_pk),
        "backend": data.get(BACKEND_SESSION_KEY, ""),
        "auth_hash": data.get(HASH_SESSION_KEY, ""),
    }


def _changes(row: Session, data: dict[str, Any]) -> dict[str, Any]:
    """Return what *data* changes in *row*; another person begins anew, nobody else lives any longer for it."""
    changes = _columns(data)
    if changes["user_id"] != row.user_id:
        return {**client_columns(), **changes, **_began(data), "evidence_stored": []}
    idle, end = _wished(data, row.facts.acr, row.expires_at)
    return {**changes, "idle_lifetime": idle, "expires_at": end}


def _began(data: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of a session in which nothing is proved that we know of, from this moment on."""
    moment = timezone.now()
    idle, end = _wished(data, _OWN_LOGIN, moment + sessions.LIFETIMES[_OWN_LOGIN][1])
    signed_in = moment if SESSION_KEY in data else None
    return {"authenticated_at": signed_in, "last_seen_at": moment, "idle_lifetime": idle, "expires_at": end}


def _wished(data: dict[str, Any], acr: str, end: datetime) -> tuple[timedelta, datetime]:
    """Return idle lifetime and end, as the site wished them with ``set_expiry``: never longer than ours."""
    idle, wish = sessions.LIFETIMES[acr][0], data.get(_EXPIRY_KEY)
    if isinstance(wish, str):
        return idle, min(end, datetime.fromisoformat(wish))
    return (min(idle, timedelta(seconds=wish)) if wish else idle), end


def _change(row: Session, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(row, name, value)


@contextmanager
def _room_for(user_pk: Any) -> Iterator[dict[str, Any]]:
    """Open a transaction in which somebody may have one more session; yield the columns that say since when.

    Raises:
        UpdateError: there is no room; recorded as the refused login that it is. Django answers 400.
    """
    person = Session(user_id=user_pk).user if user_pk is not None and concurrency.is_configured() else None
    try:
        with transaction.atomic():
            began = concurrency.make_room(user=person) if person is not None else None
            yield {} if began is None else {"created_at": began}
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
        raise UpdateError("There is no room for one more session.") from None


def _record_if_signed_in(row: Session) -> None:
    """Record the session that a site's own login opened; one that nobody is signed in to tells nobody anything."""
    if row.user is not None:
        record_opened(row, reason="site")
