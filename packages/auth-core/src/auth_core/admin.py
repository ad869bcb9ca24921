"""The admin site for any user model: identities, addresses, invitations and the outbox."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from auth_core.admin_batches import change_each
from auth_core.admin_permissions import ActionsAdmin, ReadOnlyAdmin
from auth_core.errors import AuthError, InvalidRequest, TooManyAttempts
from auth_core.flows import password_reset
from auth_core.flows.invitations import invite, withdraw_invitation
from auth_core.messages.security_notices import addresses_of
from auth_core.models import EmailAddress, Identity, Invitation, OutboxMessage
from auth_core.people import locking
from auth_core.request.client import client_of

if TYPE_CHECKING:
    from django.db.models import QuerySet


@admin.register(Identity)
class IdentityAdmin(ActionsAdmin):
    """Lists people by public id. Its actions disable, enable, lock and unlock accounts, recorded in the trail.

    An identity is created on first use, and is never deleted. The trail refers to people by it.
    """

    list_display = ("subject_id", "user", "is_active", "locked_at", "lock_reason", "created_at")
    list_select_related = ("user",)
    search_fields = ("=subject_id", "=user__email_addresses__key")
    ordering = ("-id",)
    actions = ("disable", "enable", "lock", "unlock", "mail_reset_link")
    readonly_fields = ("subject_id", "user", "locked_at", "lock_reason", "created_at")

    def has_disable_permission(self, request: HttpRequest) -> bool:
        """Return whether the actions that disable and enable are offered. Without ``is_active`` there are only locks."""
        return locking.can_be_disabled() and self.has_change_permission(request)

    @admin.display(description=_("active"), boolean=True)
    def is_active(self, identity: Identity) -> bool:
        """Return whether the account is active."""
        return bool(identity.user.is_active)

    @admin.action(description=_("Disable account and end its sessions"), permissions=["disable"])
    def disable(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Disable the selected accounts."""
        self._each(request, queryset, locking.disable_account)

    @admin.action(description=_("Enable account"), permissions=["disable"])
    def enable(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Enable the selected accounts."""
        self._each(request, queryset, locking.enable_account)

    @admin.action(description=_("Lock account"), permissions=["change"])
    def lock(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Lock the selected accounts."""
        self._each(request, queryset, locking.lock_account)

    @admin.action(description=_("Unlock account"), permissions=["change"])
    def unlock(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Unlock the selected accounts."""
        self._each(request, queryset, locking.unlock_account)

    @admin.action(description=_("Send password reset link"), permissions=["change"])
    def mail_reset_link(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Mail a reset link to each person. Only its recipient chooses the password (ASVS 6.4.6)."""
        client = client_of(request)

        def mail(identity: Identity) -> bool:
            address = next(iter(addresses_of(identity.user)), "")
            try:
                password_reset.request_reset(email=address, client=client, actor=request.user, only_for=identity.user)
            except (InvalidRequest, TooManyAttempts):
                return False
            return True

        sent = change_each(self, request, queryset.select_related("user"), mail)
        message = ngettext("%d link was sent.", "%d links were sent.", sent) % sent
        self.message_user(request, message, messages.SUCCESS)

    def _each(self, request: HttpRequest, queryset: "QuerySet[Any]", change: Callable[..., bool]) -> None:
        rows = queryset.select_related("user")
        changed = change_each(self, request, rows, lambda row: change(user=row.user, actor=request.user))
        message = ngettext("%d account changed.", "%d accounts changed.", changed) % changed
        self.message_user(request, message, messages.SUCCESS)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin):
    """Lists addresses. They are verified by mail, not here."""

    list_display = ("address", "user", "is_primary", "verified_at", "is_adopted")
    list_select_related = ("user",)
    search_fields = ("=key",)
    readonly_fields = ("user", "address", "key", "is_primary", "verified_at", "is_adopted")


@admin.register(Invitation)
class InvitationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Sends and withdraws invitations. Only the mail contains the link."""

    list_display = ("address", "invited_by", "created_at", "expires_at", "spent_at")
    list_select_related = ("invited_by",)
    search_fields = ("=key",)
    ordering = ("-id",)
    show_full_result_count = False
    fields = ("address", "invited_by", "created_at", "expires_at", "spent_at")
    readonly_fields = ("invited_by", "created_at", "expires_at", "spent_at")
    actions = ("withdraw",)

    @method_decorator(transaction.non_atomic_requests)
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Send an invitation, as the API does.

        The invitation is committed on its own, not in the transaction of the admin.
        """
        if request.method == "POST" and self.has_add_permission(request):
            form = self.get_form(request)(request.POST)
            if form.is_valid():
                return self._invite(request, form.cleaned_data["address"])
        return super().add_view(request, form_url, extra_context)

    def _invite(self, request: HttpRequest, address: str) -> HttpResponse:
        try:
            invite(email=address, actor=request.user, client=client_of(request))
        except AuthError as refusal:
            self.message_user(
                request, " ".join([refusal.detail, *(error.detail for error in refusal.errors)]), messages.ERROR
            )
            return redirect("admin:auth_core_invitation_add")
        self.message_user(request, _("The invitation was sent."), messages.SUCCESS)
        return redirect("admin:auth_core_invitation_changelist")

    @admin.action(description=_("Withdraw"), permissions=["delete"])
    def withdraw(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Withdraw the selected invitations that are still valid."""
        client = client_of(request)
        withdrawn = [
            withdraw_invitation(invitation=invitation, actor=request.user, client=client) for invitation in queryset
        ]
        message = ngettext("%d invitation withdrawn.", "%d invitations withdrawn.", sum(withdrawn)) % sum(withdrawn)
        self.message_user(request, message, messages.SUCCESS)

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        """Refuse. Another address requires another invitation."""
        return False


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    """Lists pending and failed messages. Their content is encrypted and not shown.

    A message is created together with its change, and the sweep deletes it.
    """

    list_display = ("id", "channel", "template", "outcome", "attempts", "created_at", "due_at", "problem")
    list_filter = ("outcome", "channel")
    ordering = ("-id",)
    fields = readonly_fields = (
        "channel", "template", "outcome", "problem", "attempts", "created_at", "due_at", "settled_at",
        "secret_expires_at", "correlation_id",
    )  # fmt: skip
