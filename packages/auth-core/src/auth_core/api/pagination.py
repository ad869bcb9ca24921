"""Cursor pagination without a total count."""

from base64 import b64decode
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from auth_core.errors import FieldError, InvalidRequest

if TYPE_CHECKING:
    from rest_framework.views import APIView


class CursorPage(CursorPagination):
    """Pagination by ``?cursor=&page_size=``: 50 rows, at most 200, newest first. Ids are UUIDv7, so they sort by time."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    ordering = "-id"
    _model: Any = None

    def get_page_size(self, request: Request) -> int:
        """Return the number of rows on a page.

        Raises:
            InvalidRequest: ``page_size`` is not a number from 1 to 200.
        """
        text = request.query_params.get("page_size", str(self.page_size))
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(self.max_page_size))
        if not (is_number and 1 <= int(text) <= self.max_page_size):
            params = {"min": 1, "max": self.max_page_size}
            raise InvalidRequest(FieldError("page_size", "out_of_range", _("Enter a number from 1 to 200."), params))
        return int(text)

    def decode_cursor(self, request: Request) -> Any:
        """Return the position at which the page begins.

        Raises:
            InvalidRequest: the cursor was not issued for this list.
        """
        try:
            # DRF decodes invalid base64 as an empty cursor, which would be the first page.
            b64decode(request.query_params.get("cursor", ""), validate=True)
            cursor = super().decode_cursor(request)
            if cursor is not None and cursor.position is not None:
                self._check_position(str(cursor.position))
        except (exceptions.NotFound, ValidationError, ValueError, OverflowError) as error:
            raise InvalidRequest(FieldError("cursor", "invalid", _("Invalid cursor."))) from error
        return cursor

    def paginate_queryset(self, queryset: Any, request: Request, view: "APIView | None" = None) -> Any:
        """Return the rows of the page."""
        self._model = getattr(queryset, "model", None)
        return super().paginate_queryset(queryset, request, view)

    def _check_position(self, position: str) -> None:
        """Check that *position* can be a value of the sort column. A cursor of another list may hold another type.

        Raises:
            ValidationError: the column cannot hold it.
            ValueError: it has characters that a database does not store.
        """
        if not position.isprintable():
            raise ValueError("A position must be one line of text.")
        # DRF turns a single column into a tuple while it reads a page.
        name = (self.ordering if isinstance(self.ordering, str) else self.ordering[0]).removeprefix("-")
        columns = {field.name: field for field in self._model._meta.concrete_fields} if self._model else {}
        column = self._model._meta.pk if self._model and name == "pk" else columns.get(name)
        if column is not None:
            column.to_python(position)


def page_response(
    request: Request,
    rows: "QuerySet[Any]",
    show: Callable[[Any], dict[str, Any]],
    *,
    ordering: str = "-id",
    gather: Callable[[Sequence[Any]], None] | None = None,
) -> Response:
    """Return one page of *rows*, each converted by *show*.

    Args:
        gather: Loads what *show* needs, once for the whole page. This avoids one query for each row.
    """
    page = CursorPage()
    page.ordering = ordering
    page_rows: Sequence[Any] = page.paginate_queryset(rows, request) or ()
    if gather is not None:
        gather(page_rows)
    return page.get_paginated_response([show(row) for row in page_rows])
