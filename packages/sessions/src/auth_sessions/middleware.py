"""``request.user`` from the snapshot of the session."""

from functools import partial
from http import HTTPStatus
from typing import Any, cast

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user
from django.contrib.auth import middleware as django_middleware
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import SimpleLazyObject

from auth_sessions.engine import SessionStore


class AuthenticationMiddleware(django_middleware.AuthenticationMiddleware):
    """A replacement for Django's middleware of the same name that makes no query if the session is cached."""

    def process_request(self, request: HttpRequest) -> None:
        """Set lazy ``request.user`` and ``request.auser``."""
        super().process_request(request)
        request.user = cast(Any, SimpleLazyObject(partial(_user_of, request)))
        request.auser = cast(Any, partial(sync_to_async(_user_of), request))

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Rotate the credential if the session is due for it. An error response of the server sets no cookie."""
        store = getattr(request, "session", None)
        if isinstance(store, SessionStore) and response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            store.rotate_if_due()
        return response


def _user_of(request: Any) -> Any:
    """Return the user of this request's session."""
    if not hasattr(request, "_cached_user"):
        store = request.session
        # Django reads sessions of another engine.
        request._cached_user = _user_in(store) if isinstance(store, SessionStore) else get_user(request)
    return request._cached_user


def _user_in(store: SessionStore) -> Any:
    row = store.row
    user = row.user if row is not None else None
    if row is None or user is None:
        return AnonymousUser()
    user.backend = row.backend
    return user
