"""Sessions in the admin site: to see, and to end."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from auth_sessions import lifecycle
from auth_sessions.models import Session


@admin.register(Session)
class SessionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Shows what may be known of a session; never its credential's digest or its data."""

    list_display = (
        "id",
        "user",
        "transport",
        "created_at",
        "last_seen_at",
        "expires_at",
        "ended_at",
        "ended_reason",
        "ip",
    )
    list_filter = ("transport", "ended_reason")
    list_select_related = ("user",)
    search_fields = ("=id", "=ip", "=network")
    show_full_result_count = False
    ordering = ("-id",)
    actions = ("end_sessions",)
    fields = readonly_fields = (
        "id", "user", "backend", "transport", "evidence_stored", "authenticated_at", "created_at", "last_seen_at",
        "idle_lifetime", "expires_at", "ended_at", "ended_reason", "ip", "network", "user_agent",
    )  # fmt: skip

    @admin.action(description=_("End selected sessions"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, queryset: Any) -> None:
        """End what is selected; recorded with who did it."""
        ended = sum(
            lifecycle.end_session(session_id=row.pk, user=row.user, reason="administrator", actor=request.user)
            for row in queryset.select_related("user").exclude(user=None)
        )
        self.message_user(request, ngettext("%d session ended.", "%d sessions ended.", ended) % ended, messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a session is opened by a login."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        """Refuse: a session is ended, and stays for the trail."""
        return False
