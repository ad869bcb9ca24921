"""The ``Cookie`` header is bounded before Python's parser reads it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from auth_core.middleware import RequestContextMiddleware
from auth_core.request.cookies import LONGEST_HEADER, MOST_BACKSLASHES


def cookies_of(header: str) -> dict[str, str]:
    """Return the cookies that a view reads from *header*."""
    cookies: dict[str, str] = {}

    def view(request: HttpRequest) -> HttpResponse:
        cookies.update(request.COOKIES)
        return HttpResponse()

    request: Any = RequestFactory(HTTP_COOKIE=header).get("/")
    RequestContextMiddleware(view)(request)
    return cookies


def test_normal_cookies_are_read_unchanged() -> None:
    assert cookies_of(r'a=1; b="x\"y\054z"; c=3') == {"a": "1", "b": 'x"y,z', "c": "3"}


def test_cookies_beyond_the_header_limit_are_dropped() -> None:
    many = "; ".join(f"c{number}={'x' * 100}" for number in range(1_000))

    cookies = cookies_of(many)

    assert 0 < len(cookies) <= LONGEST_HEADER / 100
    assert set(cookies.values()) == {"x" * 100}


def test_one_cookie_beyond_the_header_limit_is_dropped() -> None:
    assert cookies_of("a=" + "x" * LONGEST_HEADER) == {}


def test_a_cookie_with_many_backslashes_is_dropped_and_the_others_stay() -> None:
    assert cookies_of('a=1; b="' + "\\" * (MOST_BACKSLASHES + 1) + '"; c=3') == {"a": "1", "c": "3"}
