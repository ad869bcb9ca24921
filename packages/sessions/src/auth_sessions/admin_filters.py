"""Filters of the admin site with fixed choices. Reading the choices from the table would scan it."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from auth_sessions.models import Session

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.db.models import QuerySet


class LiveFilter(admin.SimpleListFilter):
    """Filters sessions by state."""

    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("live", _("live")), ("over", _("ended"))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> Any:
        """Return the filtered rows."""
        is_live = Exists(Session.objects.live().filter(pk=OuterRef("pk")))
        return {"live": queryset.filter(is_live), "over": queryset.filter(~is_live)}.get(self.value() or "", queryset)


class RiskFilter(admin.SimpleListFilter):
    """Filters sessions by the risk score of their login."""

    title, parameter_name = _("risk"), "risk"

    #: The minimum score of each choice.
    steps: ClassVar[tuple[int, ...]] = (25, 50, 75)

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, Any]]:
        """Return the choices."""
        return [*((str(step), _("%d or more") % step) for step in self.steps), ("none", _("not assessed"))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> Any:
        """Return the filtered rows."""
        chosen = self.value() or ""
        if chosen == "none":
            return queryset.filter(risk_score=None)
        return queryset.filter(risk_score__gte=int(chosen)) if chosen in map(str, self.steps) else queryset


class KnownDeviceFilter(admin.SimpleListFilter):
    """Filters sessions by whether their device was known."""

    title, parameter_name = _("device"), "device"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("known", _("known")), ("new", _("new")), ("none", _("not recognised"))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> Any:
        """Return the filtered rows."""
        values = {"known": True, "new": False, "none": None}
        chosen = self.value() or ""
        return queryset.filter(device_known=values[chosen]) if chosen in values else queryset


class BlockedFilter(admin.SimpleListFilter):
    """Filters devices by state."""

    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("blocked", _("blocked")), ("open", _("not blocked"))]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> Any:
        """Return the filtered rows."""
        chosen = self.value()
        return queryset if chosen is None else queryset.filter(blocked_at__isnull=chosen != "blocked")
