"""The application and the actor of a session of Django's own, on every page of the site.

Other session engines check a session when it is read. Django's own only finds the user, so the rest is checked when a
view reads ``request.user``.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from auth_core.assurance.evidence import SessionFacts, session_of
from auth_core.people.admission import NotAdmitted, admit


def check_when_read(request: HttpRequest) -> None:
    """Make the user of *request* anonymous, as the API does, if the session's application or actor is not admitted.

    Nothing is read before the view reads the user. A session that names neither costs no query.
    """
    user: Any = request.__dict__.get("user")
    store = getattr(request, "session", None)
    # A user who was set by another middleware is not the session's.
    if store is None or hasattr(type(store), "facts") or not isinstance(user, SimpleLazyObject):
        return
    request.user = SimpleLazyObject(partial(_admitted, request, user))  # type: ignore[assignment]  # as Django does
    request.auser = partial(_admitted_later, request, request.auser)  # type: ignore[method-assign]  # as Django does


async def _admitted_later(request: HttpRequest, find_user: Callable[[], Awaitable[Any]]) -> Any:
    user = await find_user()
    return user if _parties_of(request, user) is None else await sync_to_async(_admitted)(request, user)


def _admitted(request: Any, user: Any) -> Any:
    """Return *user*, or an anonymous user in their place."""
    session = _parties_of(request, user)
    if session is not None:
        try:
            admit(user, application=session.application, actor=session.actor)
        except NotAdmitted:
            request._cached_user = request._acached_user = AnonymousUser()  # noqa: SLF001 - where Django keeps the user
    return getattr(request, "_cached_user", user)


def _parties_of(request: HttpRequest, user: Any) -> SessionFacts | None:
    """Return the session of *user*, if it names an application or an actor."""
    if not user.is_authenticated or request.session.get(SESSION_KEY) != str(user.pk):
        return None
    session = session_of(request)
    return None if session is None or (session.application is None and session.actor is None) else session
