"""The comparison of both paths: Django's handler, and the layer before it."""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from early_corpus import Changes, environ

_CSRF = re.compile(r"csrftoken=[A-Za-z0-9]{32}; expires=[^;]+")

Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


class Answered(NamedTuple):
    """One answer, without the id of the request."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


def set_as_in_production(settings: Any) -> None:
    """HTTPS is required, a proxy is trusted, and another origin may read answers."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 60
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
    settings.AUTH_CORE = {**settings.AUTH_CORE, "TRUSTED_PROXIES": ["192.0.2.0/24"]}
    settings.AUTH_SESSIONS = {"EPOCH_READER": "alone"}
    settings.DEBUG_PROPAGATE_EXCEPTIONS = False


def answer_of(serve: Application, changes: Changes) -> Answered:
    """Return the answer to one request. Its id, also in the body, and a new CSRF token and its expiry are replaced."""
    started: list[Any] = []
    response = serve(environ(**changes), lambda status, headers, *_error: started.extend([status, list(headers)]))
    try:
        body = b"".join(response)
    finally:
        getattr(response, "close", lambda: None)()
    status, headers = started
    request_id = dict(headers).get("X-Request-ID", "")
    replaced = [
        (name, _CSRF.sub("csrftoken=NEW", value.replace(request_id, "ID") if request_id else value))
        for name, value in headers
    ]
    return Answered(status, replaced, body.replace(request_id.encode(), b"ID") if request_id else body)


def differences(
    django: Application,
    front: Application,
    requests: Iterator[Changes],
    comparable: Callable[[Answered], Answered] = lambda answered: answered,
) -> tuple[int, list[Any]]:
    """Serve each request on both paths, twice on the front, which learns from the first answer.

    Args:
        comparable: Replaces what is random in an answer.

    Returns:
        The number of requests, and those whose answers differ.
    """
    total, differing = 0, []
    for changes in requests:
        total += 1
        expected = comparable(answer_of(django, changes))
        for _time in range(2):
            got = comparable(answer_of(front, changes))
            if got != expected:
                differing.append((changes, expected, got))
    return total, differing


def shown(differing: list[Any]) -> str:
    """Return the differences as text."""
    return "\n".join(f"{changes}\n  Django: {slow}\n  before: {early}" for changes, slow, early in differing)
