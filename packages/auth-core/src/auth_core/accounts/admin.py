"""Users in the admin site: names, staff status and permissions, never a password (ASVS 6.4.6)."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from auth_core.accounts.models import User
from auth_core.administration import Act, check_administrator
from auth_core.assurance.evidence import session_of

if TYPE_CHECKING:
    from django.db import models
    from django.forms import BaseForm

#: Fields that hold rights.
_RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(User)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Edits the names and rights of users.

    Accounts are disabled under *identities*, where it is recorded.
    """

    list_display = ("email", "display_name", "is_active", "is_staff", "is_superuser", "created_at", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("=email", "=username")
    show_full_result_count = False
    ordering = ("-id",)
    fields = (
        "email", "username", "display_name", "locale", "timezone", "is_active", "is_staff", "is_superuser",
        "groups", "user_permissions", "created_at", "last_login",
    )  # fmt: skip
    readonly_fields = ("email", "is_active", "created_at", "last_login")
    filter_horizontal = ("groups", "user_permissions")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse. ``create_user`` creates an account with identity, address and event."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: "models.Model | None" = None) -> bool:
        """Refuse. A closed account keeps its trail, and its address is not taken over by someone else."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: "models.Model | None" = None) -> Any:
        """Let only superusers change rights, because staff could make themselves superusers."""
        fields = tuple(self.readonly_fields)
        is_superuser = getattr(request.user, "is_superuser", False)
        return fields if is_superuser else (*fields, *_RIGHTS)

    def save_model(self, request: HttpRequest, obj: User, form: "BaseForm", change: bool) -> None:
        """Save the user. A change of rights requires a recent proof (ASVS 7.5.3).

        Raises:
            InsufficientUserAuthentication: the proof of the administrator is too old.
        """
        if set(_RIGHTS) & set(form.changed_data):
            check_administrator(session_of(request), Act.CRITICAL)
        super().save_model(request, obj, form, change)
