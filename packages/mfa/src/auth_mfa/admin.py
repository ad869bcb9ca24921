"""Second factors in the admin site: who has which, and ways to take them away; never a secret, a number or an address."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from auth_core.admin_batches import change_each
from auth_core.administration import Act, check_administrator
from auth_core.assurance.evidence import session_of
from auth_mfa.admin_reset import ResetAction
from auth_mfa.admin_search import found_by
from auth_mfa.descriptions import description_of
from auth_mfa.factors import remove_factor, rows_of
from auth_mfa.messages import sms_guard
from auth_mfa.models import (
    EmailFactor,
    Factor,
    FactorHistory,
    PhoneFactor,
    RecoveryCodeSet,
    SmsPrefix,
    TotpFactor,
    WebauthnFactor,
)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Shows rows; what happens to them happens by actions, through the functions that record it."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the admin's own deletion would record nothing and tell nobody."""
        return False


class PersonsAdmin(ResetAction, ReadOnlyAdmin):
    """Rows that belong to people, who are found by public id, address or user name."""

    list_select_related = ("user",)
    search_fields = ("pk",)
    search_help_text = _("Public id of a person, or what they sign in with.")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        """Return what is named; Django's own would turn ids into text, and no index has those."""
        return (found_by(queryset, search_term) if search_term else queryset), False


@admin.register(TotpFactor, PhoneFactor, EmailFactor, WebauthnFactor, RecoveryCodeSet)
class FactorAdmin(PersonsAdmin):
    """Shows factors of one kind; removes them through the function that records it and tells the person."""

    list_display = ("name", "user", "shown_kind", "confirmed", "failures", "created_at", "last_used_at")
    list_filter = ("confirmed",)
    ordering = ("-id",)
    fields = readonly_fields = (
        "user", "name", "shown_kind", "confirmed", "failures", "created_at", "last_used_at",
    )  # fmt: skip
    actions = ("remove", "reset")

    @admin.display(description=_("kind"))
    def shown_kind(self, factor: Factor) -> str:
        """Return the kind in words, with no more than a hint of where codes go."""
        return description_of(factor)

    @admin.action(description=_("Remove, and tell the person"), permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: Any) -> None:
        """Remove each; one's own goes from one's own page.

        Raises:
            InsufficientUserAuthentication: whoever does it has not just proved that it is them.
        """
        check_administrator(session_of(request), Act.CRITICAL)
        rows = queryset.select_related("user")
        how: dict[str, Any] = {"actor": request.user, "reason": "administrator"}
        removed = change_each(self, request, rows, lambda factor: remove_factor(factor=factor, **how))
        told = ngettext("%d factor removed.", "%d factors removed.", removed) % removed
        self.message_user(request, told, messages.SUCCESS)

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Ask for the permission to delete; Django asks for any of an action's permissions, so that this is all."""
        return request.user.has_perm(f"auth_mfa.delete_{self.opts.model_name}")


@admin.register(FactorHistory)
class FactorHistoryAdmin(PersonsAdmin):
    """Shows what policy remembers of people, and what they have; resets whoever lost it."""

    list_display = ("user", "had_factor_since", "reset_at")
    ordering = ("-user_id",)
    fields = readonly_fields = ("user", "held", "had_factor_since", "reset_at")
    actions = ("reset",)

    @admin.display(description=_("has"))
    def held(self, standing: FactorHistory) -> str:
        """Return what the person has, a line each."""
        rows = rows_of(standing.user)
        lines = format_html_join("", "<li>{} ({})</li>", ((row.name, description_of(row)) for row in rows))
        return lines or str(_("nothing"))


@admin.register(SmsPrefix)
class SmsPrefixAdmin(ReadOnlyAdmin):
    """Shows how many texts are used, prefix by prefix; opens what was closed."""

    list_display = ("prefix", "sent", "used", "began_at", "closed_until", "is_open")
    search_fields = ("^prefix",)
    ordering = (F("closed_until").desc(nulls_last=True), "prefix")
    fields = readonly_fields = ("prefix", "sent", "used", "began_at", "closed_until")
    actions = ("open_again",)

    @admin.display(description=_("open"), boolean=True)
    def is_open(self, row: SmsPrefix) -> bool:
        """Say whether texts go there."""
        return not row.is_closed

    @admin.action(description=_("Let texts go there again"), permissions=["open"])
    def open_again(self, request: HttpRequest, queryset: Any) -> None:
        """Open each that is closed; recorded with who did it."""
        opened = sum(sms_guard.open_again(prefix=row.prefix, actor=request.user) for row in queryset)
        told = ngettext("%d prefix opened.", "%d prefixes opened.", opened) % opened
        self.message_user(request, told, messages.SUCCESS)

    def has_open_permission(self, request: HttpRequest) -> bool:
        """Ask for the permission to change."""
        return request.user.has_perm("auth_mfa.change_smsprefix")
