"""Somebody whom the site's own login let in, and whose second factor is still to be proved: half in.

A session that Django's `login` opened has no facts (`auth_core.assurance.evidence`); one that our
login granted has. Whoever is in a session without them is judged: either it gets facts,
or the keys by which Django knows the person are taken out of it and parked under one of
ours. Everything that reads the session then sees nobody, whichever way it reads.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
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
from auth_mfa.conf import authentication_backends
from auth_mfa.requirements import Asking, plan_of

#: Where the session keeps whoever is half in.
PARTIAL_LOGIN_KEY = "_auth_mfa_partial_login"

#: Where the session keeps whose its facts are: the person and the facts' id.
_OWNER_KEY = "_auth_mfa_facts_of"

#: What Django's `login` writes.
_LOGIN_KEYS = (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY)

#: What stays when a session changes hands; how long it lives belongs to the login that said so.
_KEPT = frozenset({*_LOGIN_KEYS, FACTS_KEY, _OWNER_KEY, "_session_expiry"})

#: How old a proof is that nobody saw: too old for whatever asks for a fresh one.
_LONG_AGO = timedelta(days=36_500)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialLogin:
    """What a session keeps of whoever is half in.

    Args:
        user: Their primary key, as Django writes it into a session.
        backend: Dotted path of the backend that named them.
        auth_hash: Django's session hash; a new password changes it.
        at: When they were parked.
        proved: The stored form of what their login proved.
    """

    user: str
    backend: str
    auth_hash: str
    at: str
    proved: Mapping[str, Any]

    @property
    def evidence(self) -> Evidence:
        """What their login proved."""
        return Evidence.from_json(self.proved)

    def person(self) -> Any:
        """Return who it is, ``None`` when they are that no longer; asks what Django asks of a session.

        The backend is still one of the site's and still knows them, they are active, the
        password is the same, and not too much time has passed.
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

    def _is_same_password(self, person: Any) -> bool:
        # Under an older SECRET_KEY as well, as Django does.
        hashes = [person.get_session_auth_hash(), *person.get_session_auth_fallback_hash()]
        return any(same(self.auth_hash, known) for known in hashes)


def partial_login_in(session: SessionBase) -> PartialLogin | None:
    """Return who is half in *session*; ``None``: nobody."""
    stored = session.get(PARTIAL_LOGIN_KEY)
    return None if stored is None else PartialLogin(**stored)


def partial_login_user_of(session: SessionBase) -> Any:
    """Return the person who is half in *session*, or ``None``; a half that is over takes the session with it.

    What is left in it was theirs, and the next person at this browser has no business there.
    """
    parked = partial_login_in(session)
    if parked is None:
        return None
    person = parked.person()
    if person is None:
        session.flush()
    return person


def is_settled(session: SessionBase) -> bool:
    """Say whether nothing is to be done about *session*: nobody is in it, or somebody whose facts it has."""
    if PARTIAL_LOGIN_KEY in session:
        return False
    if SESSION_KEY not in session:
        return FACTS_KEY not in session
    return _facts_id(session) is not None and session.get(_OWNER_KEY) == _owner(session)


def is_unjudged(session: SessionBase) -> bool:
    """Say whether somebody is in *session* of whom nothing says that they proved all they must."""
    return SESSION_KEY in session and _facts_id(session) is None


def tidy(session: SessionBase) -> None:
    """Take out of *session* what is not of the person who is in it.

    Django's `login` keeps what it finds in a session that names nobody. Facts that were
    left there by somebody else would let the next person in with a factor that was not
    theirs; so facts are bound to whom they were seen with first.
    """
    parked = partial_login_in(session)
    if SESSION_KEY not in session:
        _drop(session, FACTS_KEY, _OWNER_KEY)
        return
    if parked is not None:
        if parked.user != session[SESSION_KEY]:
            _drop(session, *(key for key in list(session.keys()) if key not in _KEPT))
        _drop(session, PARTIAL_LOGIN_KEY)
    if not hasattr(session, "facts"):
        _bind_facts(session)


def judge(session: SessionBase, user: Any, *, proved_at: datetime | None) -> bool:
    """Park *user*, whom the session names, or give the session facts; say whether they are only half in.

    Args:
        proved_at: When they signed in; ``None``: nobody saw it, and nothing of theirs counts as fresh. The
            person's last login says nothing: it may have been another browser's, and this one a thief's.
    """
    evidence = Evidence(method=_first_method(session[BACKEND_SESSION_KEY]), at=proved_at or timezone.now() - _LONG_AGO)
    if needs_second_factor(user, evidence):
        _park(session, evidence)
        return True
    if not hasattr(session, "facts"):
        facts = SessionFacts(
            id=uuid4(), transport=Transport.COOKIE.value, evidence=(evidence,), authenticated_at=evidence.at
        )
        session[FACTS_KEY] = facts.to_json()
        session[_OWNER_KEY] = _owner(session)
    return False


def needs_second_factor(user: Any, proved: Evidence) -> bool:
    """Say whether a login of ours would ask *user*, who has proved so much, for anything more."""
    # Never saved: it is asked what it would ask.
    supposed = PendingLogin(user=user, purpose=Purpose.LOGIN.value)
    supposed.evidence_stored = [proved.to_json()]
    supposed.demand_stored = Demand.NONE.value
    return plan_of(supposed).asking is not Asking.NOTHING


def _bind_facts(session: SessionBase) -> None:
    """Say whose the facts are, when they are seen for the first time; drop those that are somebody else's."""
    facts_id, owner = _facts_id(session), session.get(_OWNER_KEY)
    if owner is not None and owner[1] == facts_id and owner != _owner(session):
        _drop(session, FACTS_KEY, _OWNER_KEY)
    elif facts_id is not None and owner != _owner(session):
        session[_OWNER_KEY] = _owner(session)


def _park(session: SessionBase, evidence: Evidence) -> None:
    user, backend, auth_hash = (session.get(key, "") for key in _LOGIN_KEYS)
    parked = PartialLogin(
        user=user, backend=backend, auth_hash=auth_hash, at=timezone.now().isoformat(), proved=evidence.to_json()
    )
    _drop(session, *_LOGIN_KEYS, FACTS_KEY, _OWNER_KEY)
    session[PARTIAL_LOGIN_KEY] = asdict(parked)


def _first_method(backend: str) -> Method:
    """Return what a backend's word is: that of a password, or of somebody else who saw one."""
    kind = import_string(backend)
    by_password = issubclass(kind, ModelBackend) and not issubclass(kind, RemoteUserBackend)
    return Method.PASSWORD if by_password else Method.PROVIDER


def _facts_id(session: SessionBase) -> str | None:
    """Return the id of the session's facts; a store that has facts of its own is asked for them."""
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
