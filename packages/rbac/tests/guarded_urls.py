"""A site whose admin has common pages without special care: Django's pages, inlines of relations, guardian's pages."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.urls import path
from guardian.admin import GuardedModelAdmin

from auth_rbac.models import Assignment
from shop.models import Order

site = admin.AdminSite(name="guarded")


class Members(admin.TabularInline):  # type: ignore[type-arg]  # Django cannot subscript it
    """The members of a group, row by row."""

    model = User.groups.through
    extra = 0


class GroupRoles(admin.TabularInline):  # type: ignore[type-arg]  # Django cannot subscript it
    """The roles of a group, written without the functions that record them."""

    model = Assignment
    fk_name = "group"
    fields = ("role",)
    extra = 0


class TeamAdmin(GroupAdmin):
    """Groups with their members and roles."""

    inlines = (Members, GroupRoles)


class PeopleAdmin(UserAdmin):
    """People, with flags that can be changed in the list."""

    list_display = ("username", "is_superuser")
    list_editable = ("is_superuser",)
    actions = ("promote", "demote", "disable", "disable_each")

    @admin.action(description="promote")
    def promote(self, request: Any, queryset: Any) -> None:
        """Make the selected people superusers."""
        for person in queryset:
            person.is_superuser = True
            person.save()

    @admin.action(description="demote")
    def demote(self, request: Any, queryset: Any) -> None:
        """Make the selected people ordinary staff, with one statement."""
        queryset.update(is_superuser=False)

    @admin.action(description="disable")
    def disable(self, request: Any, queryset: Any) -> None:
        """Disable the selected people, with one statement."""
        queryset.update(is_active=False)

    @admin.action(description="disable each")
    def disable_each(self, request: Any, queryset: Any) -> None:
        """Disable the selected people with ``bulk_update``."""
        people = list(queryset)
        for person in people:
            person.is_active = False
        User.objects.bulk_update(people, ["is_active"])


class EveryoneMay(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Rows that any staff member may write: the site requires no permission."""

    def has_module_permission(self, request: Any) -> bool:
        return True

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission = (
        lambda self, request, obj=None: True
    )


class OrderAdmin(EveryoneMay, GuardedModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Orders, with guardian's pages for their permissions."""


site.register(User, PeopleAdmin)
site.register(Group, TeamAdmin)
site.register(Order, OrderAdmin)
site.register([Permission, ContentType, LogEntry, Session], EveryoneMay)

urlpatterns = [path("admin/", admin.site.urls), path("guarded/", site.urls)]
