"""Requests as bytes, with a random person, object, credential and client address in each."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: So many different requests are rendered for a turn. A login rate is below this within a turn.
RENDERED = 2_000

Random = random.Random


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What callers send.

    Args:
        path: With the query.
        body: Makes the JSON body of one request. ``None``: a request without one.
        headers: Sent with each request.
        credentials: Values of the header *credential_header*, which the requests have in turns.
        sends_address: Whether to send a random client address, as a proxy does.
    """

    path: str
    body: Callable[[Random], Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    credentials: Sequence[str] = ()
    credential_header: str = "Authorization"
    sends_address: bool = False

    def render(self, number: int = RENDERED, seed: int | None = None) -> list[bytes]:
        """Return *number* requests, complete as HTTP/1.1."""
        source = random.Random(seed)  # noqa: S311 - load, no secret
        return [self._one(source, each) for each in range(number)]

    def _one(self, source: Random, number: int) -> bytes:
        body = b"" if self.body is None else json.dumps(self.body(source)).encode()
        headers = {"Host": "localhost", **self.headers}
        if self.credentials:
            headers[self.credential_header] = self.credentials[number % len(self.credentials)]
        if self.sends_address:
            headers["X-Forwarded-For"] = ".".join(str(source.randint(1, 223)) for _part in range(4))
        if self.body is not None:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = [f"{'GET' if self.body is None else 'POST'} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body


def address_of(number: int) -> str:
    """Return the e-mail address of a seeded person."""
    return f"person{number}@example.org"
