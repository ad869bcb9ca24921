"""The guard of an ASGI application that stands beside Django, such as the server of a protocol."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping, Sequence
from io import BytesIO
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

from auth_core.oauth_resource.access.admission import admit_async, uses_database
from auth_core.oauth_resource.access.needs import Needs, refuse_offline_access
from auth_core.oauth_resource.access.sender import nonce_headers
from auth_core.oauth_resource.answers import error_answer
from auth_core.oauth_resource.errors import OAuthError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class TokenGuard:
    """Opens an ASGI application to access tokens alone.

    A refused request gets the same answer as from `require_token`, and never reaches the application. For others
    ``scope["user"]`` is the person and ``scope["token"]`` the token. The Host header must be one of ``ALLOWED_HOSTS``.
    Only HTTP passes, and the events of the lifespan. An answer to a request with a DPoP proof has the nonce for the next one.

    Args:
        application: What is guarded.
        scopes: Returns the scopes that a request needs, all of them, from its path and headers. The body is not read yet.
    """

    def __init__(self, application: Application, *, scopes: Callable[[HttpRequest], Sequence[str]]) -> None:
        self.application = application
        self.scopes = scopes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            return await self.application(scope, receive, send)
        if scope["type"] != "http":
            raise ValueError("A token opens only HTTP.")
        request = ASGIRequest(scope, BytesIO())
        send = _with_headers(send, nonce_headers(request))
        try:
            request.get_host()
            user, token = await self._admit(request)
        except DisallowedHost:
            return await _answer(HttpResponseBadRequest(), send)
        except OAuthError as problem:
            return await _answer(error_answer(problem), send)
        return await self.application({**scope, "user": user, "token": token}, receive, send)

    async def _admit(self, request: HttpRequest) -> tuple[Any, Any]:
        """Return the person and the token. No request of Django ends here, so its connection is given back here."""
        needed = tuple(self.scopes(request))
        refuse_offline_access(needed)
        try:
            return await admit_async(request, Needs(scopes=needed))
        finally:
            if uses_database():
                await sync_to_async(close_old_connections)()


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    """Return *send*, which adds *headers* to the answer."""
    added = _encoded(headers.items())
    names = {name for name, _value in added}

    async def send_more(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = [pair for pair in message.get("headers", ()) if pair[0].lower() not in names]
            message = {**message, "headers": [*own, *added]}
        await send(message)

    return send_more if added else send


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def _answer(response: HttpResponse, send: Send) -> None:
    await send({"type": "http.response.start", "status": response.status_code, "headers": _encoded(response.items())})
    await send({"type": "http.response.body", "body": response.content})
