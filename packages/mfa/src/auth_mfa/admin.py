"""Second factors in the admin site. It shows and removes them, and never shows a secret, a number or an address."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet, UUIDField
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from auth_core.admin_batches import change_each
from auth_core.admin_permissions import ReadOnlyAdmin
from auth_core.admin_search import search_rows
from auth_core.administration import Act, check_administrator
from auth_core.assurance.evidence import session_of
from auth_mfa.admin_reset import ResetAction
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


class PersonsAdmin(ResetAction, ReadOnlyAdmin):
    """Rows of users, with a search by public ID, address or user name."""

    list_select_related = ("user",)
    search_fields = ("pk",)
    search_help_text = _("Public ID, email address or user name.")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        """Return exact matches."""
        ids = ("pk",) if isinstance(queryset.model._meta.pk, UUIDField) else ()
        return (search_rows(queryset, search_term, ids=ids) if search_term else queryset), False


@admin.register(TotpFactor, PhoneFactor, EmailFactor, WebauthnFactor, RecoveryCodeSet)
class FactorAdmin(PersonsAdmin):
    """Factors of one kind. The action removes them through the function that records it and notifies the user."""

    list_display = ("name", "user", "shown_kind", "confirmed", "failures", "created_at", "last_used_at")
    list_filter = ("confirmed",)
    ordering = ("-id",)
    fields = readonly_fields = (
        "user", "name", "shown_kind", "confirmed", "failures", "created_at", "last_used_at",
    )  # fmt: skip
    actions = ("remove", "reset")

    @admin.display(description=_("kind"))
    def shown_kind(self, factor: Factor) -> str:
        """Return the kind in words, with a hint of where its codes go."""
        return description_of(factor)

    @admin.action(description=_("Remove and notify the user"), permissions=["remove"])
    def remove(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Remove each factor. Administrators remove their own factors on their own page.

        Raises:
            InsufficientUserAuthentication: the administrator's proof is not fresh.
        """
        check_administrator(session_of(request), Act.CRITICAL)
        rows = queryset.select_related("user")
        cause: dict[str, Any] = {"actor": request.user, "reason": "administrator"}
        removed = change_each(self, request, rows, lambda factor: remove_factor(factor=factor, **cause))
        message = ngettext("%d factor removed.", "%d factors removed.", removed) % removed
        self.message_user(request, message, messages.SUCCESS)

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Require the permission to delete. Django accepts any one of an action's permissions, so it lists only this."""
        return request.user.has_perm(f"auth_mfa.delete_{self.opts.model_name}")


@admin.register(FactorHistory)
class FactorHistoryAdmin(PersonsAdmin):
    """The factor history and the factors of each user, with an action that resets them."""

    list_display = ("user", "had_factor_since", "reset_at")
    ordering = ("-user_id",)
    fields = readonly_fields = ("user", "factors", "had_factor_since", "reset_at")
    actions = ("reset",)

    @admin.display(description=_("second factors"))
    def factors(self, history: FactorHistory) -> str:
        """Return one line for each factor of the user."""
        rows = rows_of(history.user)
        lines = format_html_join("", "<li>{} ({})</li>", ((row.name, description_of(row)) for row in rows))
        return lines or str(_("None"))


@admin.register(SmsPrefix)
class SmsPrefixAdmin(ReadOnlyAdmin):
    """How many of the texts to each prefix were used, with an action that reopens closed prefixes."""

    list_display = ("prefix", "sent", "used", "began_at", "closed_until", "is_open")
    search_fields = ("^prefix",)
    ordering = (F("closed_until").desc(nulls_last=True), "prefix")
    fields = readonly_fields = ("prefix", "sent", "used", "began_at", "closed_until")
    actions = ("open_again",)

    @admin.display(description=_("open"), boolean=True)
    def is_open(self, row: SmsPrefix) -> bool:
        """Return whether texts are sent to this prefix."""
        return not row.is_closed

    @admin.action(description=_("Reopen for text messages"), permissions=["open"])
    def open_again(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Open each closed prefix, and record who did it."""
        opened = sum(sms_guard.open_again(prefix=row.prefix, actor=request.user) for row in queryset)
        message = ngettext("%d prefix opened.", "%d prefixes opened.", opened) % opened
        self.message_user(request, message, messages.SUCCESS)

    def has_open_permission(self, request: HttpRequest) -> bool:
        """Require the permission to change."""
        return request.user.has_perm("auth_mfa.change_smsprefix")
