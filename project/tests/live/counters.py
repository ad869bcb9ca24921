"""Counters of a service under test: passwords over all processes, queries of one request."""

import os
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auth_core.hashers import Argon2idHasher


class CountingHasher(Argon2idHasher):
    """A hasher that appends one byte to a file for each password. An append is atomic between processes."""

    def verify(self, password: str, encoded: str) -> bool:
        """Count, then verify."""
        descriptor = os.open(os.environ["LIVE_COUNT"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, b".")
        os.close(descriptor)
        return super().verify(password, encoded)


class QueriesMiddleware:
    """A header with the number of queries. None means that the snapshot answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Count the queries of the request."""
        queries = 0

        def count(execute: Callable[..., Any], *args: Any) -> Any:
            nonlocal queries
            queries += 1
            return execute(*args)

        with connection.execute_wrapper(count):
            response = self._get_response(request)
        response.headers["X-Live-Queries"] = str(queries)
        return response
