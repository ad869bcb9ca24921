"""Sessions and devices in the admin site: to see, to end and to block; never a digest, never what a site keeps."""

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from auth_core.admin_batches import change_each
from auth_sessions import allowances, devices, lifecycle
from auth_sessions.admin_filters import BlockedFilter, KnownDeviceFilter, LiveFilter, RiskFilter
from auth_sessions.admin_search import found_by
from auth_sessions.models import Device, Session, SessionAllowance


@admin.register(Session)
class SessionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Shows what may be known of a session; never its credential's digest or its data."""

    list_display = (
        "id", "user", "transport", "created_at", "last_seen_at", "expires_at", "ended_at", "ended_reason", "ip",
        "country", "risk_score",
    )  # fmt: skip
    list_filter = (LiveFilter, "transport", RiskFilter, KnownDeviceFilter)
    list_select_related = ("user",)
    search_fields = ("id",)
    search_help_text = _("Id of a session, a device or a person; address of a person; network.")
    show_full_result_count = False
    ordering = ("-id",)
    actions = ("end_sessions",)
    fields = readonly_fields = (
        "id", "user", "backend", "transport", "evidence_stored", "authenticated_at", "created_at", "last_seen_at",
        "idle_lifetime", "expires_at", "ended_at", "ended_reason", "ip", "network", "country", "user_agent",
        "device_id", "device_known", "risk_score", "risk_reasons",
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Session]", search_term: str
    ) -> tuple["QuerySet[Session]", bool]:
        """Return what is named; Django's own would turn ids into text, and no index has those."""
        ids = ("id", "device_id")
        return (found_by(queryset, search_term, ids=ids, network="network") if search_term else queryset), False

    @admin.action(description=_("End selected sessions"), permissions=["change"])
    def end_sessions(self, request: HttpRequest, queryset: Any) -> None:
        """End what is selected; recorded with who did it."""
        rows = queryset.select_related("user").exclude(user=None)
        how: dict[str, Any] = {"reason": "administrator", "actor": request.user}
        ended = change_each(
            self, request, rows, lambda row: lifecycle.end_session(session_id=row.pk, user=row.user, **how)
        )
        self.message_user(request, ngettext("%d session ended.", "%d sessions ended.", ended) % ended, messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a session is opened by a login."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        """Refuse: a session is ended, and stays for the trail."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        """Refuse on the page of a row: it has no field to change, and saving would open again what ended meanwhile."""
        return obj is None and super().has_change_permission(request)


@admin.register(Device)
class DeviceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Shows what people sign in with; blocks and unblocks it."""

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
    search_help_text = _("Id of a device or a person; address of a person.")
    show_full_result_count = False
    ordering = ("-id",)
    actions = ("block", "unblock")
    fields = readonly_fields = (
        "id", "user", "name", "kind", "os", "browser", "has_cookie", "first_seen_at", "last_seen_at", "blocked_at",
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Device]", search_term: str
    ) -> tuple["QuerySet[Device]", bool]:
        """Return what is named; see `SessionAdmin`."""
        return (found_by(queryset, search_term, ids=("id",)) if search_term else queryset), False

    @admin.action(description=_("Block selected devices, and end their sessions"), permissions=["change"])
    def block(self, request: HttpRequest, queryset: Any) -> None:
        """Block what is selected; recorded with who did it."""
        rows = queryset.select_related("user")
        how: dict[str, Any] = {"reason": "administrator", "actor": request.user}
        blocked = change_each(self, request, rows, lambda device: devices.block_device(device=device, **how))
        told = ngettext("%d device blocked.", "%d devices blocked.", blocked) % blocked
        self.message_user(request, told, messages.SUCCESS)

    @admin.action(description=_("Unblock selected devices"), permissions=["change"])
    def unblock(self, request: HttpRequest, queryset: Any) -> None:
        """Let people sign in with what is selected again; recorded with who did it."""
        rows = queryset.select_related("user")
        actor = request.user
        unblocked = change_each(self, request, rows, lambda device: devices.unblock_device(device=device, actor=actor))
        told = ngettext("%d device unblocked.", "%d devices unblocked.", unblocked) % unblocked
        self.message_user(request, told, messages.SUCCESS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: a device is added by a login."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Device | None = None) -> bool:
        """Refuse: its owner forgets it; an administrator blocks it."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Device | None = None) -> bool:
        """Refuse on the page of a row: see `SessionAdmin`."""
        return obj is None and super().has_change_permission(request)


@admin.register(SessionAllowance)
class SessionAllowanceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Decides how many sessions one person may have; every change goes through the function that records it."""

    list_display = ("user", "sessions", "policy")
    list_filter = ("policy",)
    list_select_related = ("user",)
    raw_id_fields = ("user",)
    show_full_result_count = False
    ordering = ("user_id",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the person: another person's allowance is another one."""
        return () if obj is None else ("user",)

    def save_model(self, request: HttpRequest, obj: SessionAllowance, form: Any, change: bool) -> None:
        """Record it with who decided."""
        allowances.set_allowance(user=obj.user, sessions=obj.sessions, policy=obj.policy, actor=request.user)

    def delete_model(self, request: HttpRequest, obj: SessionAllowance) -> None:
        """Record it with who decided."""
        allowances.remove_allowance(user=obj.user, actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Remove one by one: each is recorded."""
        with transaction.atomic():
            for allowance in queryset.select_related("user"):
                self.delete_model(request, allowance)
