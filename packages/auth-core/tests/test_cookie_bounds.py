"""The ``Cookie`` header is bounded before Python's parser reads it."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from auth_core.middleware import RequestContextMiddleware
from auth_core.request.cookies import LONGEST_HEADER, MOST_BACKSLASHES


def cookies_of(header: str) -> dict[str, str]:
    """Return the cookies that a view sees of *header*."""
    seen: dict[str, str] = {}

    def view(request: HttpRequest) -> HttpResponse:
        seen.update(request.COOKIES)
        return HttpResponse()

    request: Any = RequestFactory(HTTP_COOKIE=header).get("/")
    RequestContextMiddleware(view)(request)
    return seen


def test_cookies_of_a_browser_are_read_as_they_are() -> None:
    assert cookies_of(r'a=1; b="x\"y\054z"; c=3') == {"a": "1", "b": 'x"y,z', "c": "3"}


def test_cookies_beyond_the_longest_header_are_left_out() -> None:
    many = "; ".join(f"c{number}={'x' * 100}" for number in range(1_000))

    seen = cookies_of(many)

    assert 0 < len(seen) <= LONGEST_HEADER / 100
    assert set(seen.values()) == {"x" * 100}


def test_one_cookie_beyond_the_longest_header_is_left_out() -> None:
    assert cookies_of("a=" + "x" * LONGEST_HEADER) == {}


def test_a_cookie_with_very_many_backslashes_is_left_out_and_the_others_stay() -> None:
    assert cookies_of('a=1; b="' + "\\" * (MOST_BACKSLASHES + 1) + '"; c=3') == {"a": "1", "c": "3"}
