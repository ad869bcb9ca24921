"""Sessions, devices and allowances in the admin site. Neither digests nor session data are shown."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from auth_core.admin_batches import change_each
from auth_core.admin_permissions import ActionsAdmin, DeletedWithPerson
from auth_core.admin_search import search_rows
from auth_sessions import allowances, devices, lifecycle
from auth_sessions.admin_filters import BlockedFilter, KnownDeviceFilter, LiveFilter, RiskFilter
from auth_sessions.models import Device, Session, SessionAllowance

if TYPE_CHECKING:
    from django.db import models
    from django.forms import BaseForm


@admin.register(Session)
class SessionAdmin(ActionsAdmin):
    """Shows sessions without their digest and data, and ends them.

    Only a login opens a session. The row of an ended session is kept for the audit trail.
    """

    list_display = (
        "id", "user", "transport", "created_at", "last_seen_at", "expires_at", "ended_at", "ended_reason", "ip",
        "country", "risk_score",
    )  # fmt: skip
    list_filter = (LiveFilter, "transport", RiskFilter, KnownDeviceFilter)
    list_select_related = ("user",)
    search_fields = ("id",)
    search_help_text = _("Session id, device id, user id, email address or network.")
    ordering = ("-id",)
    actions = ("end_sessions",)
    fields = readonly_fields = (
        "id", "user", "backend", "transport", "evidence_stored", "authenticated_at", "created_at", "last_seen_at",
        "idle_lifetime", "expires_at", "ended_at", "ended_reason", "application_id", "actor_id", "ip", "network",
        "country", "user_agent", "device_id", "device_known", "risk_score", "risk_reasons",
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Session]", search_term: str
    ) -> tuple["QuerySet[Session]", bool]:
        """Return exact matches."""
        ids = ("id", "device_id")
        return (search_rows(queryset, search_term, ids=ids, network="network") if search_term else queryset), False

    @admin.action(description=_("End selected sessions"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """End the selected sessions. Each is recorded with the administrator."""
        rows = queryset.select_related("user").exclude(user=None)
        details: dict[str, Any] = {"reason": "administrator", "actor": request.user}
        ended = change_each(
            self, request, rows, lambda row: lifecycle.end_session(session_id=row.pk, user=row.user, **details)
        )
        self.message_user(request, ngettext("%d session ended.", "%d sessions ended.", ended) % ended, messages.SUCCESS)


@admin.register(Device)
class DeviceAdmin(ActionsAdmin):
    """Shows devices, and blocks and unblocks them. Only a login adds a device, and only its owner forgets it."""

    list_display = (
        "__str__",
        "user",
        "kind",
        "os",
        "browser",
        "has_cookie",
        "first_seen_at",
        "last_seen_at",
        "blocked_at",
    )
    list_filter = (BlockedFilter, "has_cookie")
    list_select_related = ("user",)
    search_fields = ("id",)
    search_help_text = _("Device id, user id or email address.")
    ordering = ("-id",)
    actions = ("block", "unblock")
    fields = readonly_fields = (
        "id", "user", "name", "kind", "os", "browser", "has_cookie", "first_seen_at", "last_seen_at", "blocked_at",
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Device]", search_term: str
    ) -> tuple["QuerySet[Device]", bool]:
        """Return exact matches. See `SessionAdmin`."""
        return (search_rows(queryset, search_term, ids=("id",)) if search_term else queryset), False

    @admin.action(description=_("Block selected devices and end their sessions"), permissions=["change"])
    def block(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Block the selected devices. Each is recorded with the administrator."""
        rows = queryset.select_related("user")
        details: dict[str, Any] = {"reason": "administrator", "actor": request.user}
        blocked = change_each(self, request, rows, lambda device: devices.block_device(device=device, **details))
        message = ngettext("%d device blocked.", "%d devices blocked.", blocked) % blocked
        self.message_user(request, message, messages.SUCCESS)

    @admin.action(description=_("Unblock selected devices"), permissions=["change"])
    def unblock(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Unblock the selected devices. Each is recorded with the administrator."""
        rows = queryset.select_related("user")
        actor = request.user
        unblocked = change_each(self, request, rows, lambda device: devices.unblock_device(device=device, actor=actor))
        message = ngettext("%d device unblocked.", "%d devices unblocked.", unblocked) % unblocked
        self.message_user(request, message, messages.SUCCESS)


@admin.register(SessionAllowance)
class SessionAllowanceAdmin(DeletedWithPerson, admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Sets the session limits of single users. Every change goes through the function that records it."""

    list_display = ("user", "sessions", "policy")
    list_filter = ("policy",)
    list_select_related = ("user",)
    raw_id_fields = ("user",)
    show_full_result_count = False
    ordering = ("user_id",)

    def get_readonly_fields(self, request: HttpRequest, obj: "models.Model | None" = None) -> tuple[str, ...]:
        """Make the user read-only after creation."""
        return () if obj is None else ("user",)

    def save_model(self, request: HttpRequest, obj: SessionAllowance, form: "BaseForm", change: bool) -> None:
        """Save and record the change with the administrator."""
        allowances.set_allowance(user=obj.user, sessions=obj.sessions, policy=obj.policy, actor=request.user)

    def delete_model(self, request: HttpRequest, obj: SessionAllowance) -> None:
        """Delete and record the change with the administrator."""
        allowances.remove_allowance(user=obj.user, actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Delete one by one, so that each is recorded."""
        with transaction.atomic():
            for allowance in queryset.select_related("user"):
                self.delete_model(request, allowance)
