"""Views that do only the unavoidable work of a job. No service is faster on this server."""

from functools import cache
from os import environ

import redis
from django.db import connection
from django.http import HttpRequest, HttpResponse

_BODY = b'{"id":"00000000-0000-7000-8000-000000000000","email":"person@example.org","email_verified":true}'


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(environ["REDIS_URL"])


def bare(request: HttpRequest) -> HttpResponse:
    """Answer with fixed JSON."""
    return HttpResponse(_BODY, content_type="application/json")


def one_read(request: HttpRequest) -> HttpResponse:
    """Read a key from Redis, as the check of a session must."""
    _client().get("floor")
    return bare(request)


def one_select(request: HttpRequest) -> HttpResponse:
    """Find a row by its key, as a decision must."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT app FROM django_migrations WHERE id = %s", [1])
        cursor.fetchone()
    return bare(request)


def one_insert(request: HttpRequest) -> HttpResponse:
    """Insert a row durably, as a login must."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('floor', 'floor', now())")
    return bare(request)
