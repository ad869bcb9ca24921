"""The grant issuer of a site that uses Django's own sessions."""

from datetime import timedelta
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from auth_core.assurance.evidence import FACTS_KEY, SessionFacts
from auth_core.conf import session_engine
from auth_core.contracts import Grant, Purpose, Transport
from auth_core.models import PendingLogin
from auth_core.request.client import Client
from auth_core.users import UserLike


class OpenDjangoSession:
    """Opens a session with the site's session engine. Cookies only, because Django has no other transport."""

    transports = frozenset({Transport.COOKIE})
    needs_savepoint = False

    def issue(self, login: PendingLogin, client: Client) -> Grant:
        """Return a grant whose credential is the new session's key.

        The session of a step-up keeps only the fresh evidence of the old one. The old key becomes invalid when
        `enter_session` puts the new one into the browser.
        """
        user: Any = login.user
        store = new_store()
        facts = SessionFacts(
            id=_session_id(login),
            transport=login.transport,
            evidence=login.evidence,
            authenticated_at=timezone.now(),
            expires_at=timezone.now() + timedelta(seconds=store.get_expiry_age()),
            application=login.application_id,
            actor=login.actor_id,
        )
        store[SESSION_KEY] = user._meta.pk.value_to_string(user)
        store[BACKEND_SESSION_KEY] = login.backend
        store[HASH_SESSION_KEY] = user.get_session_auth_hash()
        store[FACTS_KEY] = facts.to_json()
        store.save(must_create=True)
        return Grant(user=user, session=facts, credential=str(store.session_key), backend=login.backend)

    def end(self, session: SessionFacts, *, user: UserLike, reason: str) -> None:
        """Leave this to `leave_session`. Only the browser's request has the key of a Django session."""


def new_store(session_key: str | None = None) -> SessionBase:
    """Return a store of the site's session engine. It loads *session_key* when it is first read."""
    store: SessionBase = import_module(session_engine()).SessionStore(session_key)
    return store


def _session_id(login: PendingLogin) -> UUID:
    return (login.session_id if login.purpose == Purpose.STEP_UP else None) or uuid4()
