"""Roles and assignments in the admin site; every change goes through the function that records it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from auth_core.errors import AuthError
from auth_rbac.assigning import assign_role, revoke_role
from auth_rbac.models import Assignment, Role
from auth_rbac.names import InvalidName, key_of
from auth_rbac.roles import create_role, delete_role, set_permissions


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]  # Django cannot subscript it
    """Refuses names that could be mistaken for another's, beside the field."""

    def clean_name(self) -> str:
        """Return the name, if it can be one and is not taken."""
        name: str = self.cleaned_data["name"]
        try:
            key = key_of(name)
        except InvalidName as error:
            raise forms.ValidationError(_("This cannot be the name of a role."), code=error.code) from error
        if Role.objects.filter(key=key).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("There is a role of this name."), code="taken")
        return name


@admin.register(Role)
class RoleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Makes, changes and deletes roles; a name is given once."""

    form = RoleForm
    list_display = ("name", "description", "created_at")
    search_fields = ("key",)
    ordering = ("key",)
    filter_horizontal = ("permissions",)
    fields = ("name", "description", "permissions")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the name of what is there: the trail speaks of it."""
        return () if obj is None else ("name",)

    def save_model(self, request: HttpRequest, obj: Role, form: Any, change: bool) -> None:
        """Make the role with its event; of one that is there the description is saved."""
        if change:
            obj.save(update_fields=["description"])
        else:
            made = create_role(name=obj.name, description=obj.description, actor=request.user)
            obj.pk, obj.key, obj._state = made.pk, made.key, made._state

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Set the permissions with their event, not as the form would."""
        set_permissions(role=form.instance, permissions=form.cleaned_data["permissions"], actor=request.user)

    def delete_model(self, request: HttpRequest, obj: Role) -> None:
        """Delete it with its event."""
        delete_role(role=obj, actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete each with its event."""
        for role in queryset:
            delete_role(role=role, actor=request.user)


@admin.register(Assignment)
class AssignmentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Grants and revokes roles; another time or person is another assignment."""

    list_display = ("user", "role", "valid_from", "valid_until", "granted_by")
    list_select_related = ("user", "role", "granted_by")
    list_filter = ("role",)
    search_fields = ("=user__email_addresses__key",)
    ordering = ("-id",)
    show_full_result_count = False
    raw_id_fields = ("user",)
    fields = ("user", "role", "valid_from", "valid_until", "reason")

    def save_model(self, request: HttpRequest, obj: Assignment, form: Any, change: bool) -> None:
        """Grant it with its event."""
        try:
            made = assign_role(
                user=obj.user,
                role=obj.role,
                granted_by=request.user,
                reason=obj.reason,
                valid_from=obj.valid_from,
                valid_until=obj.valid_until,
            )
        except AuthError as refusal:
            self.message_user(request, refusal.detail, messages.ERROR)
            return
        obj.pk, obj._state = made.pk, made._state

    def delete_model(self, request: HttpRequest, obj: Assignment) -> None:
        """Revoke it with its event."""
        revoke_role(assignment=obj, revoked_by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Revoke each with its event."""
        for assignment in queryset.select_related("user"):
            revoke_role(assignment=assignment, revoked_by=request.user)

    def has_change_permission(self, request: HttpRequest, obj: Assignment | None = None) -> bool:
        """Refuse."""
        return False
