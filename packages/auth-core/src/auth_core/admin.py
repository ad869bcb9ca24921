"""People in the admin site, whatever the user model: their ids, addresses and locks."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from auth_core import account_state
from auth_core.models import EmailAddress, Identity


@admin.register(Identity)
class IdentityAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Shows people by the id that the world knows them by; closes and opens their accounts, recorded."""

    list_display = ("subject_id", "user", "is_active", "locked_at", "created_at")
    list_select_related = ("user",)
    search_fields = ("=subject_id", "=user__email_addresses__key")
    ordering = ("-id",)
    show_full_result_count = False
    actions = ("disable", "enable", "lock", "unlock")
    readonly_fields = ("subject_id", "user", "locked_at", "created_at")

    @admin.display(description=_("active"), boolean=True)
    def is_active(self, identity: Identity) -> bool:
        """Say whether the account is open."""
        return bool(identity.user.is_active)

    @admin.action(description=_("Disable the account, and end its sessions"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: Any) -> None:
        """Disable each."""
        self._each(request, queryset, account_state.disable_account)

    @admin.action(description=_("Enable the account"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: Any) -> None:
        """Enable each."""
        self._each(request, queryset, account_state.enable_account)

    @admin.action(description=_("Lock the account"), permissions=["change"])
    def lock(self, request: HttpRequest, queryset: Any) -> None:
        """Lock each."""
        self._each(request, queryset, account_state.lock_account)

    @admin.action(description=_("Unlock the account"), permissions=["change"])
    def unlock(self, request: HttpRequest, queryset: Any) -> None:
        """Unlock each."""
        self._each(request, queryset, account_state.unlock_account)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: an identity is made when it is first asked for."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Identity | None = None) -> bool:
        """Refuse: the trail names people by it."""
        return False

    def _each(self, request: HttpRequest, queryset: Any, change: Callable[..., bool]) -> None:
        changed = sum(change(user=identity.user, actor=request.user) for identity in queryset.select_related("user"))
        told = ngettext("%d account changed.", "%d accounts changed.", changed) % changed
        self.message_user(request, told, messages.SUCCESS)


@admin.register(EmailAddress)
class EmailAddressAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Shows addresses; who proves one does it by mail, not here."""

    list_display = ("address", "user", "is_primary", "verified_at")
    list_select_related = ("user",)
    search_fields = ("=key",)
    show_full_result_count = False
    readonly_fields = ("user", "address", "key", "is_primary", "verified_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: EmailAddress | None = None) -> bool:
        """Refuse."""
        return False
