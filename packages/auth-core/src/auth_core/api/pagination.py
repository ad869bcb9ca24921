"""Lists: pages by cursor, never a count."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.errors import FieldError, InvalidRequest


class CursorPage(CursorPagination):
    """``?cursor=&page_size=``: 50 at a time, at most 200, newest first; ids are UUIDv7 and sort by time."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-id"

    def get_page_size(self, request: Request) -> int:
        """Return how many rows a page has.

        Raises:
            InvalidRequest: not a number from 1 to 200.
        """
        asked = request.query_params.get("page_size", str(self.page_size))
        if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:4]) <= self.max_page_size):
            params = {"min": 1, "max": self.max_page_size}
            raise InvalidRequest(FieldError("page_size", "out_of_range", _("From 1 to 200."), params))
        return int(asked)

    def decode_cursor(self, request: Request) -> Any:
        """Return where the page begins.

        Raises:
            InvalidRequest: the cursor is not one of ours.
        """
        try:
            return super().decode_cursor(request)
        except exceptions.NotFound as error:
            raise InvalidRequest(FieldError("cursor", "invalid", _("This is not a cursor."))) from error


def page_response(
    request: Request,
    rows: "QuerySet[Any]",
    show: Callable[[Any], dict[str, Any]],
    *,
    ordering: str = "-id",
    gather: Callable[[Sequence[Any]], None] | None = None,
) -> Response:
    """Return one page of *rows*, each as *show* puts it.

    Args:
        gather: Looks up what *show* needs, once for the whole page; a look-up for each row would be one query each.
    """
    page = CursorPage()
    page.ordering = ordering
    found: Sequence[Any] = page.paginate_queryset(rows, request) or ()
    if gather is not None:
        gather(found)
    return page.get_paginated_response([show(row) for row in found])
