"""Routes of a site that access tokens open, before Django: those of the setting ``EARLY_TOKEN_ROUTES``."""

from functools import partial
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.urls import resolve, reverse
from rest_framework.permissions import IsAuthenticated

from auth_core.conf import core
from auth_core.oauth.api.authentication import granted_caller
from auth_core.oauth.api.token_views import TokenView
from auth_core.people.lookup import public_id_if_loaded
from enterprise_auth.core.conf import site
from enterprise_auth.core.json_body import json_body
from enterprise_auth.front.endpoint import EarlyAnswer, Endpoint
from enterprise_auth.front.provider import with_token

#: The authenticators whose effect on a request with a Bearer token is known: the second accepts it, the others ignore it.
_AUTHENTICATORS = [
    "auth_sessions.api.authentication.SessionTokenAuthentication",
    "auth_core.oauth.api.authentication.BearerAuthentication",
    "auth_core.api.authentication.CookieAuthentication",
]


def token_routes() -> list[Endpoint]:
    """Return the routes of the site. None if the API has other authenticators.

    Raises:
        ImproperlyConfigured: a route cannot be answered from its caller alone.
    """
    names = site.early_token_routes if list(core.AUTHENTICATION_CLASSES) == _AUTHENTICATORS else []
    return [_endpoint(name) for name in names]


def _endpoint(name: str) -> Endpoint:
    view: Any = getattr(resolve(reverse(name).removeprefix(site.prefix)).func, "view_class", None)
    if not _is_answered_from_its_caller(view):
        raise ImproperlyConfigured(
            f"EARLY_TOKEN_ROUTES names {name!r}, which is no TokenView with a scope and the default permission."
        )
    return Endpoint(
        url_name=name,
        methods=frozenset({"GET"}),
        kind_of=with_token,
        answer=partial(_answer, view),
        write=json_body,
    )


def _is_answered_from_its_caller(view: Any) -> bool:
    is_known = isinstance(view, type) and issubclass(view, TokenView) and view.get is TokenView.get
    return is_known and "get" in view.token_scopes and tuple(view.permission_classes) == (IsAuthenticated,)


def _answer(view: type[TokenView], request: HttpRequest, _kind: str) -> EarlyAnswer | None:
    caller: Any = granted_caller(request, view)
    return None if caller is None else EarlyAnswer(body=view().body(caller), subject=public_id_if_loaded(caller))
