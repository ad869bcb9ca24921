"""What the admin site allows on rows that only the functions of a package write.

The admin's own forms and deletion would record nothing, and notify no one.
"""

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest

if TYPE_CHECKING:
    from django.db import models


class NoNewRows:
    """Permissions of rows that are neither added nor deleted. For a ``ModelAdmin`` or an inline."""

    def has_add_permission(self, request: HttpRequest, obj: "models.Model | None" = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: "models.Model | None" = None) -> bool:
        """Refuse."""
        return False


class ReadOnly(NoNewRows):
    """Permissions of rows that are only shown. For a ``ModelAdmin`` or an inline."""

    def has_change_permission(self, request: HttpRequest, obj: "models.Model | None" = None) -> bool:
        """Refuse."""
        return False


class ReadOnlyAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Rows that are only shown. Actions may change them through functions that record the change."""

    show_full_result_count = False


class ActionsAdmin(NoNewRows, admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Rows that only actions change. The actions require the permission to change."""

    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: "models.Model | None" = None) -> bool:
        """Refuse on the page of one row. It has no editable field, and saving would restore old values."""
        return obj is None and super().has_change_permission(request)
