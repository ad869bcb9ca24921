"""What the admin site allows on rows that only the functions of a package write.

The admin's own forms and deletion would record nothing, and notify no one.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse

from auth_core.administration import Act, model_admin_of
from auth_core.errors import AuthError
from auth_core.observability.denials import mark_denied_by

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


class DeletedWithPerson:
    """Lets the admin delete rows together with the person they belong to. For a ``ModelAdmin``, as the first base.

    Django's page that deletes a person asks the admin of each related model for its permission to delete, and refuses if
    one says no. The permission to delete the person decides about the rows that belong to them.
    """

    def has_delete_permission(self, request: HttpRequest, obj: "models.Model | None" = None) -> bool:
        """Allow it on the pages that delete people. On other pages leave the answer to the next class."""
        if obj is not None and _deletes_people(request):
            return True
        return bool(super().has_delete_permission(request, obj))  # type: ignore[misc]  # of the class after this mixin


def _deletes_people(request: HttpRequest) -> bool:
    """Return whether *request* is for the page, or for the action of the list, that deletes people."""
    match = request.resolver_match
    owner = None if match is None else model_admin_of(match.func)
    if match is None or owner is None or not issubclass(owner.model, get_user_model()):
        return False
    return str(match.url_name).endswith(("_delete", "_changelist"))


class ReadOnlyAdmin(DeletedWithPerson, ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Rows that are only shown. Actions may change them through functions that record the change."""

    show_full_result_count = False


class ActionsAdmin(DeletedWithPerson, NoNewRows, admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Rows that only actions change. The actions require the permission to change."""

    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: "models.Model | None" = None) -> bool:
        """Refuse on the page of one row. It has no editable field, and saving would restore old values."""
        return obj is None and super().has_change_permission(request)


class RecordingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Rows that a function of a package writes and records. A refusal is an error message, without a message of success."""

    changes_are = Act.CRITICAL

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show a refusal as an error message."""
        return self._or_refusal(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show a refusal as an error message."""
        return self._or_refusal(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the refusal of an action as an error message."""
        return self._or_refusal(request, super().changelist_view, *args, **kwargs)

    def _or_refusal(
        self, request: HttpRequest, view: Callable[..., HttpResponse], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        try:
            answer: HttpResponse = view(request, *args, **kwargs)
        except AuthError as refusal:
            mark_denied_by(refusal)
            details = [error.detail for error in refusal.errors] or [refusal.detail]
            self.message_user(request, " ".join(details), messages.ERROR)
            return self.response_post_save_change(request, None)
        return answer
