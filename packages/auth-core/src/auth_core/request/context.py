"""The context of a request, task or command: one id that ties together everything it records.

Source: W3C Trace Context section 3.2 (``traceparent``).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.core.signals import request_finished, request_started
from django.http import HttpRequest

from auth_core.memo import Memo
from auth_core.request.client import Client, client_of
from auth_core.request.cookies import bound_cookies
from auth_core.text import Pattern

#: The form of an id from outside. Any other text could forge a log line.
_REQUEST_ID = Pattern(r"[A-Za-z0-9._-]{8,64}", at_most=64)

#: Version, trace id, parent id, flags. A trace or parent id of zeros is invalid.
_TRACEPARENT = Pattern(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", at_most=55)


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a request was denied. Set by `auth_core.observability.denials`.

    Args:
        reason: Closed word.
        subject: The person, if not the signed-in user.
        session: Public id of the session, if not the session of the request.
    """

    reason: str
    subject: Any = None
    session: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentSession:
    """The session in which the current request acts.

    Args:
        id: Public id of the session.
        person: The user whose session it is.
        application: Public id of the application that the session was opened for.
        actor: The user who acts in it in place of *person*. ``None``: *person* acts.
    """

    id: UUID
    person: Any
    application: UUID | None = None
    actor: Any = None


@dataclass(frozen=True, slots=True)
class Context:
    """The context of a request, task or command.

    Args:
        correlation_id: Our own id, in every log line, event and response.
        client_request_id: The caller's id for the request. Never trusted.
        client: The client of the request, if there is one.
        secrets: Values from the request that must not appear in a log.
        denials: Why the request was denied. At most one.
        administrators: The people responsible for changes of rights. The last one counts. See `auth_core.authority`.
        find_session: Returns the session of the request, as far as the request has read it. ``None`` outside a request.
    """

    correlation_id: str
    client_request_id: str = ""
    client: Client | None = None
    secrets: set[str] = field(default_factory=set, repr=False, compare=False)
    denials: list[Denial] = field(default_factory=list, repr=False, compare=False)
    administrators: list[Any] = field(default_factory=list, repr=False, compare=False)
    find_session: Callable[[], CurrentSession | None] | None = field(default=None, repr=False, compare=False)


#: The header of a task message. Celery's own correlation_id is the id of the task.
TASK_HEADER = "auth_core_correlation_id"

_current: ContextVar[Context | None] = ContextVar("auth_core_context", default=None)

#: On a request: its context. A log record names its request, so its id is known before and after the middleware.
_CONTEXT: Memo[Context] = Memo("auth_core.context")


@dataclass(slots=True)
class _Served:
    """The request that is being served. Tasks and threads that copy the context share the instance.

    Args:
        outer: The context that was current before the request.
        context: The context of the request. ``None`` before the middleware.
    """

    outer: Context | None
    context: Context | None = None


_served: ContextVar[_Served | None] = ContextVar("auth_core_served", default=None)


def current() -> Context:
    """Return the current context. Outside a request or task it is created on first use."""
    context = existing()
    if context is None:
        context = Context(correlation_id=new_correlation_id())
        _current.set(context)
    return context


def existing() -> Context | None:
    """Return the current context, or ``None`` if there is none. Unlike `current`, it creates none."""
    served = _served.get()
    return _current.get() or (served.context if served is not None else None)


def correlation_id() -> str:
    """Return the correlation id of the current context."""
    return current().correlation_id


def current_session() -> CurrentSession | None:
    """Return the session in which the current request acts. ``None`` in a command, in a task and for a stranger."""
    find = current().find_session
    return None if find is None else find()


def keep_secret(*values: str) -> None:
    """Mask *values* in all log records of this context."""
    current().secrets.update(values)


def new_correlation_id() -> str:
    """Return a unique id."""
    return str(uuid4())


@contextmanager
def bound(context: Context) -> Iterator[Context]:
    """Make *context* current within the block."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


def connect() -> None:
    """Connect to Django's signals around a request."""
    request_started.connect(_begin, dispatch_uid="auth_core.request.context")
    request_finished.connect(_end, dispatch_uid="auth_core.request.context")


def enter(context: Context) -> None:
    """Make *context*, of a request, current until Django finishes the request.

    That is after the middleware: Django logs the response and sends its body afterwards, under ASGI in another task.
    """
    if _served.get() is None:
        _begin()
    _current.set(None)
    served = _served.get()
    if served is not None:
        served.context = context


@contextmanager
def served(context: Context) -> Iterator[Context]:
    """Make *context*, of a request that Django's handler does not see, current within the block."""
    _begin()
    enter(context)
    try:
        yield context
    finally:
        _end()


def _begin(**kwargs: Any) -> None:
    """Begin a request without a context. A server may not have finished the last one."""
    _end()
    _served.set(_Served(_current.get()))
    _current.set(None)


def _end(**kwargs: Any) -> None:
    """Return to the context that was current before the request."""
    if (served := _served.get()) is not None:
        _current.set(served.outer)
        _served.set(None)


def context_of(request: HttpRequest) -> Context:
    """Return the context of *request*. It is determined once per request."""
    context = _CONTEXT.of(request)
    if context is None:
        context = _read_context(request)
        _CONTEXT.keep(request, context)
    return context


def _read_context(request: HttpRequest) -> Context:
    """Return a new context for *request*.

    Only our own proxies can set the correlation id. A stranger who chose it could mix their log lines with those of
    another request. A stranger's id is stored separately.
    """
    bound_cookies(request)
    client = client_of(request)
    request_id = _request_id_from(request.META)
    secrets = {*request.COOKIES.values(), request.META.get("HTTP_AUTHORIZATION", "").rpartition(" ")[2]}
    if client.via_trusted_proxy and request_id:
        return Context(correlation_id=request_id, client=client, secrets=secrets)
    return Context(new_correlation_id(), client_request_id=request_id, client=client, secrets=secrets)


def to_headers() -> dict[str, str]:
    """Return the headers that carry the context in a task message."""
    return {TASK_HEADER: correlation_id()}


def from_headers(headers: Mapping[str, object]) -> Context:
    """Return the context from the headers of a task message, or a new one."""
    value = headers.get(TASK_HEADER)
    is_valid = isinstance(value, str) and _REQUEST_ID.fullmatch(value)
    return Context(correlation_id=str(value) if is_valid else new_correlation_id())


def _request_id_from(meta: Mapping[str, str]) -> str:
    """Return the request id from the headers, or an empty string."""
    if _REQUEST_ID.fullmatch(meta.get("HTTP_X_REQUEST_ID", "")):
        return meta["HTTP_X_REQUEST_ID"]
    match = _TRACEPARENT.fullmatch(meta.get("HTTP_TRACEPARENT", ""))
    return match[1] if match else ""
