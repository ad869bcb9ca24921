"""Actors: people who act in the session of another person, such as an administrator who helps with an account.

A session and a pending login name the actor by public id. Only those with an actor cost a query.
"""

from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject, empty

from auth_core.assurance.evidence import SessionFacts, session_of, stated_session
from auth_core.authority import check_over
from auth_core.memo import Memo
from auth_core.people.lookup import find_by_subject_id, identity_of
from auth_core.people.service_subject import ServiceSubject
from auth_core.request.context import CurrentSession
from auth_core.users import UserLike

#: On the user of a session: the person who acts in it.
_ACTOR: Memo[Any] = Memo("auth_core.actor")


def find_actor(actor_id: UUID, *, beside: UserLike | None) -> Any:
    """Return the person with the public id *actor_id* in their current state, or ``None``. One query.

    Args:
        beside: The user that they act for. `actor_beside` returns the actor without a further query.
    """
    actor = find_by_subject_id(actor_id)
    if beside is not None:
        _ACTOR.keep(beside, actor)
    return actor


def checked_actor(user: UserLike, actor_id: UUID | None) -> UUID | None:
    """Return *actor_id*, or ``None`` if *user* is that person. An unknown actor is refused by `admission`.

    Raises:
        PermissionRefused: *user* holds more permissions than the actor.
    """
    actor = actor_beside(user, actor_id)
    check_over(actor, user)
    return None if actor is not None and actor.pk == user.pk else actor_id


def actor_beside(user: UserLike | None, actor_id: UUID | None) -> Any:
    """Return the person with the public id *actor_id* who acts for *user*. For events, which name both.

    No query if there is no actor, or if `find_actor` has found them for this instance of the user.
    """
    if actor_id is None:
        return None
    actor = None if user is None else _ACTOR.of(user)
    if actor is not None and identity_of(actor).subject_id == actor_id:
        return actor
    return find_actor(actor_id, beside=user)


def current_session_of(request: HttpRequest) -> CurrentSession | None:
    """Return the session in which *request* acts. ``None`` if no one is signed in.

    A session that the request has not read takes no part in what it does, so the session is never loaded here. Another
    way to sign in, such as the token of another package, has no session of ours.
    """
    user = user_if_loaded(request)
    is_person = user is not None and user.is_authenticated and not isinstance(user, ServiceSubject)
    facts = _facts_of(request, user) if is_person else None
    if facts is None:
        return None
    actor = actor_beside(user, facts.actor)
    return CurrentSession(id=facts.id, person=user, application=facts.application, actor=actor)


def user_if_loaded(request: HttpRequest) -> Any:
    """Return the user of *request* if it is loaded, else ``None``. Runs no query."""
    user = request.__dict__.get("user")
    if not isinstance(user, SimpleLazyObject):
        return user
    # An asynchronous view loads the user with ``request.auser``, which leaves the lazy one empty.
    loaded_by_auser = request.__dict__.get("_acached_user", request.__dict__.get("_cached_user"))
    return loaded_by_auser if user._wrapped is empty else user._wrapped  # noqa: SLF001 - to look without loading


def _facts_of(request: HttpRequest, user: UserLike) -> SessionFacts | None:
    """Return the facts of the session that *user* was read from."""
    stated = stated_session(request)
    if stated is not None:
        return stated
    store: SessionBase | None = getattr(request, "session", None)
    # Django sets this attribute when it loads the data.
    if store is None or not hasattr(store, "_session_cache"):
        return None
    return session_of(request) if store.get(SESSION_KEY) == str(user.pk) else None
