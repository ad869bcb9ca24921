"""Taking all second factors of people away, in the admin site: asked once more, told, recorded."""

from collections.abc import Sequence
from typing import Any

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


class ResetAction:
    """An action on rows that have a ``user``: what is reset is the person, whatever row they are found by."""

    @admin.action(description=_("Take all second factors of these people away"), permissions=["reset"])
    def reset(self, request: HttpRequest, queryset: Any) -> TemplateResponse | None:
        """Ask once more and show what goes; then reset each.

        Raises:
            InsufficientUserAuthentication: whoever does it has not just proved that it is them.
        """
        check_administrator(session_of(request), Act.CRITICAL)
        people = list({row.user_id: row.user for row in queryset.select_related("user")}.values())
        if request.POST.get("post") != "yes":
            return self._ask(request, queryset, people)
        how: dict[str, Any] = {"actor": request.user, "client": client_of(request)}
        others = [person for person in people if person.pk != request.user.pk]
        if len(others) < len(people):
            _tell(self, request, _("Your own second factors stay: another administrator resets them."), messages.ERROR)
        done = change_each(self, request, others, lambda person: reset_factors(user=person, **how) is not None)
        told = ngettext("%d person was reset, and told.", "%d people were reset, and told.", done) % done
        _tell(self, request, told, messages.SUCCESS)
        return None

    def has_reset_permission(self, request: HttpRequest) -> bool:
        """Ask for the permission that stands for this alone."""
        user: Any = request.user
        return bool(user.has_perm("auth_mfa.reset_factors"))

    def _ask(self, request: HttpRequest, queryset: Any, people: Sequence[Any]) -> TemplateResponse:
        if not people:
            raise PermissionDenied
        site: Any = self
        told = {
            **site.admin_site.each_context(request),
            "title": _("Take all second factors away?"),
            "opts": site.opts,
            "people": [{"user": person, "factors": [_line(row) for row in rows_of(person)]} for person in people],
            "keys": list(queryset.values_list("pk", flat=True)),
            "action_checkbox_name": helpers.ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/auth_mfa/reset.html", told)


def _line(row: Any) -> str:
    return f"{row.name} ({description_of(row)})"


def _tell(site: Any, request: HttpRequest, told: Any, level: int) -> None:
    site.message_user(request, told, level)
