"""Partial logins: logins by the site's own view that still lack their second factor.

A session of our own login has facts (`auth_core.assurance.evidence`). A session of Django's
`login` has none, so it is checked. Either it gets facts, or the keys by which Django knows
the user are moved under a key of ours. Everything that reads the session then sees an
anonymous session.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import uuid4

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.contrib.auth.backends import ModelBackend, RemoteUserBackend
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone
from django.utils.module_loading import import_string

from auth_core.assurance.evidence import FACTS_KEY, SessionFacts
from auth_core.assurance.levels import Demand
from auth_core.assurance.methods import Evidence, Method
from auth_core.conf import core
from auth_core.contracts import Purpose, Transport
from auth_core.crypto.secrets import same
from auth_core.models import PendingLogin
from auth_core.users import AccountLike, UserLike
from auth_mfa.conf import authentication_backends
from auth_mfa.requirements import Asking, plan_of

#: Session key of the partial login.
PARTIAL_LOGIN_KEY = "_auth_mfa_partial_login"

#: Session key of the owner of the facts: the user and the id of the facts.
_OWNER_KEY = "_auth_mfa_facts_of"

#: The keys that Django's `login` writes.
_LOGIN_KEYS = (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY)

#: The keys that stay when another user signs in. The expiry was set by the new login.
_KEPT = frozenset({*_LOGIN_KEYS, FACTS_KEY, _OWNER_KEY, "_session_expiry"})

#: Assumed age of a proof with an unknown time: too old for any fresh proof.
_LONG_AGO = timedelta(days=36_500)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialLogin:
    """A login by the site's own view that still lacks its second factor, as the session stores it.

    Args:
        user: The user's primary key, as Django writes it into a session.
        backend: Dotted path of the authentication backend.
        auth_hash: Django's session hash, which changes with the password.
        at: When the partial login began.
        proved: The stored form of its evidence.
    """

    user: str
    backend: str
    auth_hash: str
    at: str
    proved: Mapping[str, Any]

    @property
    def evidence(self) -> Evidence:
        """The evidence of the login."""
        return Evidence.from_json(self.proved)

    def person(self) -> Any:
        """Return the user, or ``None`` if the partial login is no longer valid. The checks are those of Django.

        The backend is still configured and still returns the user, who is active and has the
        same password, and the partial login has not expired.
        """
        if self.backend not in authentication_backends() or self._has_expired():
            return None
        person = import_string(self.backend)().get_user(get_user_model()._meta.pk.to_python(self.user))
        if person is None or not person.is_active or not self._is_same_password(person):
            return None
        person.backend = self.backend
        return person

    def _has_expired(self) -> bool:
        return timezone.now() >= datetime.fromisoformat(self.at) + core.PENDING_LOGIN_LIFETIME

    def _is_same_password(self, person: AccountLike) -> bool:
        # Hashes with an older SECRET_KEY are accepted, as in Django.
        hashes = [person.get_session_auth_hash(), *person.get_session_auth_fallback_hash()]
        return any(same(self.auth_hash, candidate) for candidate in hashes)


def partial_login_in(session: SessionBase) -> PartialLogin | None:
    """Return the partial login in *session*, or ``None``."""
    stored = session.get(PARTIAL_LOGIN_KEY)
    return None if stored is None else PartialLogin(**stored)


def partial_login_user_of(session: SessionBase) -> Any:
    """Return the user of the partial login in *session*, or ``None``. An expired one flushes the session.

    The rest of the session belongs to the same user, and the next person at this browser must
    not see it.
    """
    partial_login = partial_login_in(session)
    if partial_login is None:
        return None
    person = partial_login.person()
    if person is None:
        session.flush()
    return person


def is_settled(session: SessionBase) -> bool:
    """Return whether *session* needs no check: it is anonymous, or has the facts of its user."""
    if PARTIAL_LOGIN_KEY in session:
        return False
    if SESSION_KEY not in session:
        return FACTS_KEY not in session
    return _facts_id(session) is not None and session.get(_OWNER_KEY) == _owner(session)


def is_unjudged(session: SessionBase) -> bool:
    """Return whether *session* has a user but no facts."""
    return SESSION_KEY in session and _facts_id(session) is None


def tidy(session: SessionBase) -> None:
    """Remove from *session* the data of any other user.

    Django's `login` keeps the data of an anonymous session. Facts left there by another user
    would count as the second factor of the next one. Facts are therefore bound to the first
    user that they are seen with.
    """
    partial_login = partial_login_in(session)
    if SESSION_KEY not in session:
        _drop(session, FACTS_KEY, _OWNER_KEY)
        return
    if partial_login is not None:
        if partial_login.user != session[SESSION_KEY]:
            _drop(session, *(key for key in list(session.keys()) if key not in _KEPT))
        _drop(session, PARTIAL_LOGIN_KEY)
    if not hasattr(session, "facts"):
        _bind_facts(session)


def judge(session: SessionBase, user: UserLike, *, proved_at: datetime | None) -> bool:
    """Turn the session of *user* into a partial login, or give it facts. Return whether the login is partial.

    Args:
        proved_at: When the user signed in, or ``None`` if that is unknown, so that the proof is never fresh.
            The user's last login is no substitute. It may be from another browser, and this one a thief's.
    """
    evidence = Evidence(method=_first_method(session[BACKEND_SESSION_KEY]), at=proved_at or timezone.now() - _LONG_AGO)
    if needs_second_factor(user, evidence):
        _store_partial_login(session, evidence)
        return True
    if not hasattr(session, "facts"):
        facts = SessionFacts(
            id=uuid4(), transport=Transport.COOKIE.value, evidence=(evidence,), authenticated_at=evidence.at
        )
        session[FACTS_KEY] = facts.to_json()
        session[_OWNER_KEY] = _owner(session)
    return False


def needs_second_factor(user: UserLike, proved: Evidence) -> bool:
    """Return whether a login of ours with this evidence would ask *user* for more."""
    # Never saved. It only serves to derive the next requirement.
    login = PendingLogin(user=cast("Any", user), purpose=Purpose.LOGIN.value)
    login.evidence_stored = [proved.to_json()]
    login.demand_stored = Demand.NONE.value
    return plan_of(login).asking is not Asking.NOTHING


def _bind_facts(session: SessionBase) -> None:
    """Bind new facts to the user of the session, and drop facts of another user."""
    facts_id, owner = _facts_id(session), session.get(_OWNER_KEY)
    if owner is not None and owner[1] == facts_id and owner != _owner(session):
        _drop(session, FACTS_KEY, _OWNER_KEY)
    elif facts_id is not None and owner != _owner(session):
        session[_OWNER_KEY] = _owner(session)


def _store_partial_login(session: SessionBase, evidence: Evidence) -> None:
    user, backend, auth_hash = (session.get(key, "") for key in _LOGIN_KEYS)
    partial_login = PartialLogin(
        user=user, backend=backend, auth_hash=auth_hash, at=timezone.now().isoformat(), proved=evidence.to_json()
    )
    _drop(session, *_LOGIN_KEYS, FACTS_KEY, _OWNER_KEY)
    session[PARTIAL_LOGIN_KEY] = asdict(partial_login)


def _first_method(backend: str) -> Method:
    """Return the method of a backend: a password, or an identity provider that checked one."""
    kind = import_string(backend)
    by_password = issubclass(kind, ModelBackend) and not issubclass(kind, RemoteUserBackend)
    return Method.PASSWORD if by_password else Method.PROVIDER


def _facts_id(session: SessionBase) -> str | None:
    """Return the id of the session's facts, from the session store if that keeps them itself."""
    if hasattr(session, "facts"):
        return None if session.facts is None else str(session.facts.id)
    stored = session.get(FACTS_KEY)
    return None if stored is None else str(stored["id"])


def _owner(session: SessionBase) -> list[str | None]:
    return [str(session[SESSION_KEY]), _facts_id(session)]


def _drop(session: SessionBase, *keys: str) -> None:
    for key in keys:
        if key in session:
            del session[key]
