"""Pagination. An invalid cursor or page size is refused without a query."""

from base64 import b64encode
from typing import Any

import pytest
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from auth_core.api.pagination import CursorPage
from auth_core.errors import InvalidRequest
from auth_core.models import Invitation

pytestmark = pytest.mark.django_db


def page(**query: str) -> Any:
    """Return the rows of a page of invitations."""
    return CursorPage().paginate_queryset(Invitation.objects.all(), Request(APIRequestFactory().get("/", query)))


@pytest.mark.parametrize(
    "cursor",
    [
        "p=7",
        "p=",
        "p=%00",
        "p=2026-11-01T00%3A00%3A00Z",
        "r=x&p=7",
        "o=x",
        "o=-1",
        "r=1&o=99999999999999999999&p=x",
        "p=%ED%A0%80",
    ],
)
def test_a_forged_cursor_is_refused(cursor: str, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0), pytest.raises(InvalidRequest) as refused:
        page(cursor=b64encode(cursor.encode()).decode())

    assert [error.field for error in refused.value.errors] == ["cursor"]


@pytest.mark.parametrize("cursor", ["", "!!!", "abcde", "é", "\x00", "9" * 10_000])
def test_a_malformed_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequest):
        page(cursor=cursor or "=")


def test_an_issued_cursor_is_accepted() -> None:
    assert page(cursor=b64encode(b"p=01a228e0-de13-7102-ac98-e3d2245a242d").decode()) == []


@pytest.mark.parametrize("size", ["0", "201", "-1", "²", "\u0661", "0001" + "9" * 20, "9" * 5_000, "1e2", "", "1\x00"])
def test_a_page_size_is_a_number_from_1_to_200(size: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        page(page_size=size)

    assert [error.field for error in refused.value.errors] == ["page_size"]
