"""URL patterns of a site that forgot the metadata."""

from typing import Any

urlpatterns: list[Any] = []
