"""Requests as bytes, with a random person, object, credential and client address in each."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

#: So many different requests are rendered for a turn. A login rate is below this within a turn.
RENDERED = 2_000

Random = random.Random


class Supply:
    """Values that are good for one request each, such as refresh tokens that rotate. Turns use them up in order."""

    def __init__(self, values: Sequence[str]) -> None:
        self._values, self._used = values, 0

    def next(self, number: int) -> Sequence[str]:
        """Return the next *number* values, or what is left.

        Raises:
            RuntimeError: nothing is left.
        """
        found = self._values[self._used : self._used + number]
        if not found:
            raise RuntimeError("There are no more one-time values. Seed more.")
        return found

    def use(self, number: int) -> None:
        """Say that *number* values were sent."""
        self._used += number


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What callers send.

    Args:
        path: With the query.
        body: Makes the JSON body of one request. ``None``: a request without one.
        form: Makes the form of one request from its one-time value, or from an empty text.
        once: The one-time values.
        headers: Sent with each request.
        credentials: Values of the header *credential_header*, which the requests have in turns.
        renewed: Returns credentials that have not expired, or values for *form*. It is called before each turn.
        sends_address: Whether to send a random client address, as a proxy does.
    """

    path: str
    body: Callable[[Random], Any] | None = None
    form: Callable[[str], Mapping[str, str]] | None = None
    once: Supply | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: Sequence[str] = ()
    credential_header: str = "Authorization"
    renewed: Callable[[], Sequence[str]] | None = None
    sends_address: bool = False

    def render(self, number: int = RENDERED, seed: int | None = None) -> list[bytes]:
        """Return *number* requests, complete as HTTP/1.1. Fewer if fewer one-time values are left."""
        source = random.Random(seed)  # noqa: S311 - load, no secret
        fresh = self.renewed() if self.renewed is not None else ()
        if self.once is not None:
            return [self._one(source, each, value, ()) for each, value in enumerate(self.once.next(number))]
        if self.form is not None:
            return [self._one(source, each, fresh[each % len(fresh)] if fresh else "", ()) for each in range(number)]
        return [self._one(source, each, "", fresh or self.credentials) for each in range(number)]

    def _one(self, source: Random, number: int, value: str, credentials: Sequence[str]) -> bytes:
        headers = {"Host": "localhost", **self.headers}
        if self.form is not None:
            body, kind = urlencode(self.form(value)).encode(), "application/x-www-form-urlencoded"
        else:
            body, kind = b"" if self.body is None else json.dumps(self.body(source)).encode(), "application/json"
        has_body = self.form is not None or self.body is not None
        if credentials:
            headers[self.credential_header] = credentials[number % len(credentials)]
        if self.sends_address:
            headers["X-Forwarded-For"] = ".".join(str(source.randint(1, 223)) for _part in range(4))
        if has_body:
            headers |= {"Content-Type": kind, "Content-Length": str(len(body))}
        lines = [f"{'POST' if has_body else 'GET'} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


def address_of(number: int) -> str:
    """Return the e-mail address of a seeded person."""
    return f"person{number}@example.org"
