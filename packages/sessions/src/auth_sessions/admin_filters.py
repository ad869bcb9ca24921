"""The filters of the admin site, with choices of their own: to ask a table which values it has is to read all of it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from auth_sessions.models import Session


class LiveFilter(admin.SimpleListFilter):
    """Whether a session is live."""

    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("live", _("live")), ("over", _("over"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return what was chosen."""
        lives = Exists(Session.objects.live().filter(pk=OuterRef("pk")))
        return {"live": queryset.filter(lives), "over": queryset.filter(~lives)}.get(self.value() or "", queryset)


class RiskFilter(admin.SimpleListFilter):
    """How risky the login was that opened a session."""

    title, parameter_name = _("risk"), "risk"

    #: The least score of each choice.
    steps: ClassVar[tuple[int, ...]] = (25, 50, 75)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [*((str(step), _("%d and more") % step) for step in self.steps), ("none", _("not assessed"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return what was chosen."""
        chosen = self.value() or ""
        if chosen == "none":
            return queryset.filter(risk_score=None)
        return queryset.filter(risk_score__gte=int(chosen)) if chosen in map(str, self.steps) else queryset


class KnownDeviceFilter(admin.SimpleListFilter):
    """Whether a session was opened in a known device."""

    title, parameter_name = _("device"), "device"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("known", _("known")), ("new", _("not known")), ("none", _("not recognised"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return what was chosen."""
        wanted = {"known": True, "new": False, "none": None}
        chosen = self.value() or ""
        return queryset.filter(device_known=wanted[chosen]) if chosen in wanted else queryset


class BlockedFilter(admin.SimpleListFilter):
    """Whether a device is blocked."""

    title, parameter_name = _("state"), "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the choices."""
        return [("blocked", _("blocked")), ("open", _("not blocked"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Return what was chosen."""
        chosen = self.value()
        return queryset if chosen is None else queryset.filter(blocked_at__isnull=chosen != "blocked")
