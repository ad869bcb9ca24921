"""Reset of all second factors of users in the admin site, with a confirmation page."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin import helpers
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from auth_core.admin_batches import change_each
from auth_core.administration import Act, check_administrator
from auth_core.assurance.evidence import session_of
from auth_core.request.client import client_of
from auth_mfa.descriptions import description_of
from auth_mfa.factors import reset_factors, rows_of

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.db.models import QuerySet
    from django_stubs_ext import StrOrPromise

    from auth_mfa.models import Factor


class ResetAction:
    """An action on rows that have a ``user``. It resets the user, not the row."""

    @admin.action(description=_("Reset all second factors of these users"), permissions=["reset"])
    def reset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> TemplateResponse | None:
        """Show what will be removed and ask for confirmation, then reset each user.

        Raises:
            InsufficientUserAuthentication: the administrator's proof is not fresh.
        """
        check_administrator(session_of(request), Act.CRITICAL)
        people = list({row.user_id: row.user for row in queryset.select_related("user")}.values())
        if request.POST.get("post") != "yes":
            return self._confirmation_page(request, queryset, people)
        site = cast("ModelAdmin[Any]", self)
        cause: dict[str, Any] = {"actor": request.user, "client": client_of(request)}
        others = [person for person in people if person.pk != request.user.pk]
        if len(others) < len(people):
            refusal = _("You cannot reset your own second factors. Ask another administrator.")
            _show_message(site, request, refusal, messages.ERROR)
        done = change_each(site, request, others, lambda person: reset_factors(user=person, **cause) is not None)
        message = ngettext("%d user was reset and notified.", "%d users were reset and notified.", done) % done
        _show_message(site, request, message, messages.SUCCESS)
        return None

    def has_reset_permission(self, request: HttpRequest) -> bool:
        """Require the permission that exists for this action alone."""
        user: Any = request.user
        return bool(user.has_perm("auth_mfa.reset_factors"))

    def _confirmation_page(
        self, request: HttpRequest, queryset: "QuerySet[Any]", people: Sequence[Any]
    ) -> TemplateResponse:
        if not people:
            raise PermissionDenied
        site: Any = self
        context = {
            **site.admin_site.each_context(request),
            "title": _("Reset all second factors?"),
            "opts": site.opts,
            "people": [{"user": person, "factors": [_line(row) for row in rows_of(person)]} for person in people],
            "keys": list(queryset.values_list("pk", flat=True)),
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/auth_mfa/reset.html", context)


def _line(row: "Factor") -> str:
    return f"{row.name} ({description_of(row)})"


def _show_message(site: "ModelAdmin[Any]", request: HttpRequest, message: "StrOrPromise", level: int) -> None:
    site.message_user(request, message, level)
