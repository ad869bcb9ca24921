"""What a request, a task or a command carries along: one id that ties together all it leaves behind.

Source: W3C Trace Context section 3.2 (``traceparent``).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest

from auth_core.request.client import Client, client_of
from auth_core.text import Pattern

#: What an id from outside may look like; anything else could forge a line of a log.
_REQUEST_ID = Pattern(r"[A-Za-z0-9._-]{8,64}", at_most=64)

#: version, trace id, parent id, flags; a trace or parent of zeros is none.
_TRACEPARENT = Pattern(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}", at_most=55)


@dataclass(frozen=True, slots=True)
class Noted:
    """Why a request is refused, as `auth_core.observability.denials` was told.

    Args:
        reason: Closed word.
        subject: The person behind it, where it is not whoever is signed in.
        session: Public id of the session it is about, where it is not theirs.
    """

    reason: str
    subject: Any = None
    session: UUID | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What everything that happens now has in common.

    Args:
        correlation_id: Ours, in every log line, event and response.
        client_request_id: What a stranger called their request; believed for nothing.
        client: The far end of the request, if there is one.
        secrets: Values that came with the request and must not turn up in a log.
        noted: Why it is refused, if it is; one at the most.
        administrators: Who answers for changes of rights; the last one counts. See `auth_core.authority`.
    """

    correlation_id: str
    client_request_id: str = ""
    client: Client | None = None
    secrets: set[str] = field(default_factory=set, repr=False, compare=False)
    noted: list[Noted] = field(default_factory=list, repr=False, compare=False)
    administrators: list[Any] = field(default_factory=list, repr=False, compare=False)


#: The header of a task's message; Celery has a correlation_id of its own, which is the task's.
TASK_HEADER = "auth_core_correlation_id"

_current: ContextVar[Context | None] = ContextVar("auth_core_context", default=None)


def current() -> Context:
    """Return the context; outside a request or task one is made when first asked for."""
    context = _current.get()
    if context is None:
        context = Context(correlation_id=new_correlation_id())
        _current.set(context)
    return context


def correlation_id() -> str:
    """Return the id that ties together what happens now."""
    return current().correlation_id


def keep_secret(*values: str) -> None:
    """Have *values* masked in everything that is logged in this context."""
    current().secrets.update(values)


def new_correlation_id() -> str:
    """Return an id that nobody else has."""
    return str(uuid4())


@contextmanager
def bound(context: Context) -> Iterator[Context]:
    """Let everything inside happen in *context*, and nothing after it."""
    token = _current.set(context)
    try:
        yield context
    finally:
        _current.reset(token)


def context_of(request: HttpRequest) -> Context:
    """Return the context of *request*.

    An id is taken over only from one of our own proxies: a stranger who chose it could
    mix their lines into somebody else's story. Theirs is kept apart.
    """
    client = client_of(request)
    named = _named(request.META)
    secrets = {*request.COOKIES.values(), request.META.get("HTTP_AUTHORIZATION", "").rpartition(" ")[2]}
    if client.via_trusted_proxy and named:
        return Context(correlation_id=named, client=client, secrets=secrets)
    return Context(new_correlation_id(), client_request_id=named, client=client, secrets=secrets)


def to_headers() -> dict[str, str]:
    """Return what a task's message carries of the context."""
    return {TASK_HEADER: correlation_id()}


def from_headers(headers: Mapping[str, object]) -> Context:
    """Return the context that a task's message carries, or a new one."""
    carried = headers.get(TASK_HEADER)
    valid = isinstance(carried, str) and _REQUEST_ID.fullmatch(carried)
    return Context(correlation_id=str(carried) if valid else new_correlation_id())


def _named(meta: Mapping[str, str]) -> str:
    """Return the id that a header names, if it is one."""
    if _REQUEST_ID.fullmatch(meta.get("HTTP_X_REQUEST_ID", "")):
        return meta["HTTP_X_REQUEST_ID"]
    traced = _TRACEPARENT.fullmatch(meta.get("HTTP_TRACEPARENT", ""))
    return traced[1] if traced else ""
