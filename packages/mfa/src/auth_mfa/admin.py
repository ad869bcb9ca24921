"""Factors in the admin site: who has which, and a way to take them away; never a key."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from auth_mfa.factors import remove_factor
from auth_mfa.models import TotpFactor


@admin.register(TotpFactor)
class TotpFactorAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Shows factors; removes them through the function that records it and tells the person."""

    list_display = ("name", "user", "confirmed", "failures", "created_at", "last_used_at")
    list_select_related = ("user",)
    list_filter = ("confirmed",)
    search_fields = ("=user__email_addresses__key",)
    ordering = ("-id",)
    show_full_result_count = False
    fields = readonly_fields = ("user", "name", "confirmed", "failures", "created_at", "last_used_at")
    actions = ("remove",)

    @admin.action(description=_("Remove, and tell the person"), permissions=["view", "remove"])
    def remove(self, request: HttpRequest, queryset: Any) -> None:
        """Remove each."""
        factors = queryset.select_related("user")
        removed = sum(remove_factor(factor=factor, actor=request.user, reason="administrator") for factor in factors)
        told = ngettext("%d factor removed.", "%d factors removed.", removed) % removed
        self.message_user(request, told, messages.SUCCESS)

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Ask for the permission to delete; the admin's own deletion would tell nobody."""
        return request.user.has_perm("auth_mfa.delete_totpfactor")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a factor is proved by whoever holds it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: TotpFactor | None = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: TotpFactor | None = None) -> bool:
        """Refuse: see `remove`."""
        return False
