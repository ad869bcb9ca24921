"""What a service under test counts: passwords over all processes, queries of one request."""

import os
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auth_core.hashers import Argon2idHasher


class CountingHasher(Argon2idHasher):
    """Appends one byte to a file before it evaluates a password; an append is atomic between processes."""

    def verify(self, password: str, encoded: str) -> bool:
        """Count, then verify."""
        place = os.open(os.environ["LIVE_COUNT"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(place, b".")
        os.close(place)
        return super().verify(password, encoded)


class QueriesMiddleware:
    """Says in a header how many queries a request cost: none, and the snapshot has answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Count around the request."""
        asked = 0

        def count(execute: Callable[..., Any], *given: Any) -> Any:
            nonlocal asked
            asked += 1
            return execute(*given)

        with connection.execute_wrapper(count):
            response = self._get_response(request)
        response.headers["X-Live-Queries"] = str(asked)
        return response
