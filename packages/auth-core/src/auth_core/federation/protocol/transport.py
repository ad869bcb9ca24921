"""Requests to providers, within the limits of `auth_core.runtime.http_client`: five seconds, 64 KiB, no redirects.

A breaker for each provider and process stops asking one that fails, so that its trouble does not hold the threads that serve
everybody else.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from auth_core.runtime.circuit_breaker import Breaker, BreakerOpen
from auth_core.runtime.http_client import Answer, OutboundFailed, OutboundRefused, fetch

_OK, _TOO_MANY, _SERVER_ERRORS = 200, 429, 500

#: How long a provider that failed several times in a row is not asked.
_PAUSE = timedelta(seconds=10)

_breakers: dict[str, Breaker] = {}
_lock = threading.Lock()


class ProviderFailed(Exception):
    """The provider does not answer, or its answer cannot be used. The message holds no part of the answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A JSON answer of a provider. It is also what Authlib expects of a response.

    Args:
        status_code: HTTP status.
        content: What the JSON says.
        headers: Header fields, with names in lower case.
    """

    status_code: int
    content: Any
    headers: Mapping[str, str]

    def json(self) -> Any:
        """Return what the JSON says."""
        return self.content

    def raise_for_status(self) -> None:
        """Refuse an answer that is no success.

        Raises:
            ProviderFailed: always. Authlib calls this for answers that it cannot use.
        """
        raise ProviderFailed(f"it answers with the status {self.status_code}")


class Transport:
    """What sends requests to one provider. Authlib's client uses it in place of a session of `requests`.

    Args:
        provider: Name of the provider.
    """

    def __init__(self, provider: str) -> None:
        self._provider = provider

    def get(self, url: str, *, token: str = "") -> Reply:
        """Return the JSON at *url*.

        Args:
            token: An access token, sent in the header.

        Raises:
            ProviderFailed: there is none.
        """
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        reply = self._send(url, method="GET", headers=headers)
        if reply.status_code != _OK:
            reply.raise_for_status()
        return reply

    def post(self, url: str, data: Mapping[str, str], headers: Mapping[str, str], auth: Any) -> Reply:
        """Post a form, as Authlib's client does. The answer may be an error in JSON.

        Raises:
            ProviderFailed: there is no answer in JSON, or the provider itself has failed.
        """
        url, sent, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return self._send(url, method="POST", headers=sent, body=body.encode())

    def _send(self, url: str, *, method: str, headers: Mapping[str, str], body: bytes | None = None) -> Reply:
        sent = {"Accept": "application/json", "User-Agent": "enterprise-auth", **headers}
        return guarded(self._provider, lambda: _reply(fetch(url, method=method, headers=sent, body=body)))


def guarded(provider: str, request: Callable[[], Reply]) -> Reply:
    """Return the answer to *request*, unless the provider has failed several times just now.

    Raises:
        ProviderFailed: it has, or it fails now.
    """
    try:
        return _breaker_of(provider).call(request)
    except BreakerOpen:
        raise ProviderFailed("it failed several times just now, and is not asked") from None
    except (OutboundRefused, OutboundFailed) as problem:
        raise ProviderFailed(f"{type(problem).__name__}: {problem}") from problem


def forget_breakers() -> None:
    """Forget which providers have failed, for tests."""
    with _lock:
        _breakers.clear()


def _breaker_of(provider: str) -> Breaker:
    with _lock:
        return _breakers.setdefault(provider, Breaker(f"provider.{provider}", pause=_PAUSE))


def _reply(answer: Answer) -> Reply:
    if answer.status >= _SERVER_ERRORS or answer.status == _TOO_MANY:
        raise ProviderFailed(f"it answers with the status {answer.status}")
    try:
        content = json.loads(answer.body)
    # Nested brackets in a few kilobytes are deeper than the interpreter recurses.
    except (ValueError, RecursionError) as problem:
        raise ProviderFailed(f"its answer with the status {answer.status} is no JSON") from problem
    return Reply(answer.status, content, {name.lower(): value for name, value in answer.headers.items()})
