"""Connections in the admin site. Only the functions that record a change write them."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from auth_core.admin_batches import change_each
from auth_core.admin_permissions import ActionsAdmin
from auth_core.federation.connections.rows import remove_connection, set_enabled
from auth_core.federation.models import Connection

if TYPE_CHECKING:
    from django.db.models import QuerySet


@admin.register(Connection)
class ConnectionAdmin(ActionsAdmin):
    """Shows the accounts at providers that sign people in, disables and removes them. No administrator adds one."""

    list_display = ("user", "provider", "label", "created_at", "used_at", "disabled_at")
    list_select_related = ("user",)
    search_fields = ("=user__auth_identity__subject_id", "=subject")
    ordering = ("-id",)
    actions = ("disable", "enable", "remove")
    fields = readonly_fields = (
        "id", "user", "provider", "issuer", "subject", "label", "created_at", "used_at", "disabled_at"
    )  # fmt: skip

    @admin.action(description=_("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Let the selected connections sign no one in."""
        self._set_enabled(request, queryset, is_enabled=False)

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Let the selected connections sign in again."""
        self._set_enabled(request, queryset, is_enabled=True)

    @admin.action(description=_("Disconnect"), permissions=["change"])
    def remove(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Remove the selected connections, also the last way in of a person. They reset their password by mail."""
        actor = request.user
        rows = queryset.select_related("user")
        removed = change_each(self, request, rows, lambda row: remove_connection(connection=row, actor=actor))
        self._tell(request, removed)

    def _set_enabled(self, request: HttpRequest, queryset: "QuerySet[Any]", *, is_enabled: bool) -> None:
        actor, rows = request.user, queryset.select_related("user")
        changed = change_each(
            self, request, rows, lambda row: set_enabled(connection=row, is_enabled=is_enabled, actor=actor)
        )
        self._tell(request, changed)

    def _tell(self, request: HttpRequest, changed: int) -> None:
        message = ngettext("%d connection changed.", "%d connections changed.", changed) % changed
        self.message_user(request, message, messages.SUCCESS)
