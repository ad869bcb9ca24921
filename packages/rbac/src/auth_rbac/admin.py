"""Roles and assignments in the admin site. Every change goes through the function that records and guards it."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from auth_core.admin_permissions import DeletedWithPerson, ReadOnly, RecordingAdmin
from auth_core.errors import InvalidRequest
from auth_rbac import admin_pages
from auth_rbac.admin_forms import AssignmentForm, RoleForm
from auth_rbac.holders.descriptions import label_of_holder, load_services
from auth_rbac.holders.lookup import find_holder
from auth_rbac.models import Assignment, Holder, HolderKind, Role
from auth_rbac.objects.object_list import SEES, object_rows
from auth_rbac.roles.assignments import assign_role, revoke_role
from auth_rbac.roles.roles import change_role, create_role, delete_role

if TYPE_CHECKING:
    from django.db import models
    from django.db.models import QuerySet
    from django.forms import BaseForm, BaseFormSet


@admin.register(Role)
class RoleAdmin(RecordingAdmin):
    """Creates, changes and deletes roles. The name of a role never changes."""

    form = RoleForm
    list_display = ("name", "description", "created_at")
    search_fields = ("key",)
    ordering = ("key",)
    filter_horizontal = ("permissions", "denials")
    fields = ("name", "description", "permissions", "wildcards", "denials", "denied_wildcards", "parents")

    def get_readonly_fields(self, request: HttpRequest, obj: "models.Model | None" = None) -> tuple[str, ...]:
        """Make the name of an existing role read-only: the audit trail refers to it."""
        return () if obj is None else ("name",)

    def save_model(self, request: HttpRequest, obj: Role, form: "BaseForm", change: bool) -> None:
        """Create or change a role with its whole content and its event."""
        content = {name: form.cleaned_data[name] for name in RoleForm.CONTENT}
        if change:
            # Read the role again: the form has written its values into *obj*, and no change would be visible.
            change_role(role=Role.objects.get(pk=obj.pk), description=obj.description, actor=request.user, **content)
        else:
            created = create_role(name=obj.name, description=obj.description, actor=request.user, **content)
            obj.pk, obj.key, obj._state = created.pk, created.key, created._state

    def save_related(
        self, request: HttpRequest, form: "BaseForm", formsets: "Iterable[BaseFormSet[Any]]", change: bool
    ) -> None:
        """Skip: the role is saved with its event, and the form would write it again without one."""

    def delete_model(self, request: HttpRequest, obj: Role) -> None:
        """Delete a role with its event."""
        delete_role(role=obj, actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Delete each role with its event."""
        with transaction.atomic():
            for role in queryset:
                delete_role(role=role, actor=request.user)


#: The kinds of holders as people read them.
KIND_NAMES = {HolderKind.PERSON: _("Person"), HolderKind.GROUP: _("Group"), HolderKind.SERVICE: _("Service")}


class HolderKindFilter(admin.SimpleListFilter):
    """Shows the assignments of people, of groups or of services."""

    title, parameter_name = _("holder"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """Return the kinds of holders."""
        return [(kind.value, name) for kind, name in KIND_NAMES.items()]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        """Return the assignments of the selected kind."""
        kind: Any = self.value()
        rows: Any = queryset
        if kind in set(HolderKind):
            rows = rows.of_kind(HolderKind(kind))
        return cast("QuerySet[Any]", rows)


@admin.register(Assignment)
class AssignmentAdmin(DeletedWithPerson, RecordingAdmin):
    """Grants and revokes roles. An assignment is never changed: another time or person is another assignment."""

    form = AssignmentForm
    list_display = ("kind", "holder", "role", "scope", "valid_from", "valid_until", "granted_by", "why")
    list_select_related = ("user", "group", "role", "granted_by")
    list_filter = (HolderKindFilter, "role")
    search_fields = ("=user__email_addresses__key", "=group__name")
    search_help_text = _("The address of a person, the name of a group, or the public ID of any holder.")
    ordering = ("-id",)
    change_list_template = "auth_rbac/assignment_list.html"
    show_full_result_count = False
    raw_id_fields = ("user", "group")
    fields = ("user", "group", "service_id", "role", "scope_type", "scope_id", "valid_from", "valid_until", "reason")

    @admin.display(description=_("kind"))
    def kind(self, assignment: Assignment) -> str:
        """Return the kind of the holder."""
        return str(KIND_NAMES[assignment.holder_kind])

    @admin.display(description=_("holder"))
    def holder(self, assignment: Assignment) -> str:
        """Return the person, the group or the service."""
        return label_of_holder(assignment)

    @admin.display(description=_("why"))
    def why(self, assignment: Assignment) -> str:
        """Return the link to the explanation of the permissions of the person or service."""
        if assignment.service_id is not None:
            return _link(admin_pages.address_of_explanation_of_service(assignment.service_id))
        return "" if assignment.user_id is None else link_to_explanation(assignment.user_id)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Load the services of the page at once."""
        changes: Any = super().get_changelist_instance(request)
        load_services(changes.result_list)
        return changes

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        """Search by public id as well. The holder is found first, so that an index serves the list."""
        try:
            public_id = UUID(search_term.strip())
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
        condition = Q(service_id=public_id)
        for kind, column in ((HolderKind.PERSON, "user"), (HolderKind.GROUP, "group")):
            with suppress(InvalidRequest):
                condition |= Q(**{column: find_holder(Holder(kind, public_id))})
        return queryset.filter(condition), False

    def get_urls(self) -> list[Any]:
        """Add the pages that explain permissions, and the pages of object permissions."""
        return [
            path("explain/", self._page(admin_pages.explain_anybody), name="auth_rbac_explain_anybody"),
            path(
                "explain/service/<uuid:service_id>/",
                self._page(admin_pages.explain_service),
                name="auth_rbac_explain_service",
            ),
            path("explain/<path:user_pk>/", self._page(admin_pages.explain_person), name="auth_rbac_explain"),
            path(
                "objects/person/<path:user_pk>/",
                self._page(admin_pages.objects_of_person),
                name="auth_rbac_objects_of_person",
            ),
            path(
                "objects/group/<path:group_pk>/",
                self._page(admin_pages.objects_of_group),
                name="auth_rbac_objects_of_group",
            ),
            *super().get_urls(),
        ]

    def _page(self, view: Callable[..., HttpResponse]) -> Any:
        """Return a page for people who may see assignments, marked as a page of this admin."""

        def page(request: HttpRequest, **arguments: Any) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            return view(self, request, **arguments)

        wrapped: Any = self.admin_site.admin_view(page)
        wrapped.model_admin = self
        return wrapped

    def save_model(self, request: HttpRequest, obj: Assignment, form: "BaseForm", change: bool) -> None:
        """Grant the role with its event."""
        created = assign_role(
            user=obj.user,
            group=obj.group,
            service_id=obj.service_id,
            role=obj.role,
            scope=form.cleaned_data.get("scope"),
            granted_by=request.user,
            reason=obj.reason,
            valid_from=obj.valid_from,
            valid_until=obj.valid_until,
        )
        obj.pk, obj._state = created.pk, created._state

    def delete_model(self, request: HttpRequest, obj: Assignment) -> None:
        """Revoke the role with its event."""
        revoke_role(assignment=obj, revoked_by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Revoke each role with its event."""
        with transaction.atomic():
            for assignment in queryset.select_related("user", "role"):
                revoke_role(assignment=assignment, revoked_by=request.user)

    def has_change_permission(self, request: HttpRequest, obj: Assignment | None = None) -> bool:
        """Refuse: revoke the assignment and create another instead."""
        return False


class ReadOnlyInline(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]  # Django cannot subscript it
    """Shows what a person or a group holds on their page. It is read-only: changes are created where they are recorded."""

    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: "models.Model | None" = None) -> bool:
        """Show nothing on the page that creates a person or a group."""
        return obj is not None and super().has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return all rows: without the view permission there is no inline, and Django does not pass the object here."""
        return super(InlineModelAdmin, self).get_queryset(request)


class RolesInline(ReadOnlyInline):
    """The roles of a person, with a link to the explanation."""

    model = Assignment
    fk_name = "user"
    fields = readonly_fields = ("role", "scope", "valid_from", "valid_until", "granted_by", "reason", "why")
    verbose_name_plural = _("roles")

    @admin.display(description=_("why"))
    def why(self, assignment: Assignment) -> str:
        """Return the link to the explanation of the person's permissions."""
        return link_to_explanation(assignment.user_id)


class GroupRolesInline(ReadOnlyInline):
    """The roles of a group."""

    model = Assignment
    fk_name = "group"
    fields = readonly_fields = ("role", "scope", "valid_from", "valid_until", "granted_by", "reason")
    verbose_name_plural = _("roles")


class ObjectsInline(ReadOnlyInline):
    """Some of the object permissions of a person, from all tables, with a link to the full list."""

    model: Any = get_user_obj_perms_model()
    fk_name = "user"
    template = "auth_rbac/objects_inline.html"
    verbose_name_plural = _("object permissions")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Load what the template shows. An inline lives for one request."""
        person = None if isinstance(obj, Group) else obj
        rows = object_rows(seen_by=request.user, holder=obj).order_by("-position")[0 : admin_pages.INLINE_SIZE]
        self.rows = admin_pages.table_lines(rows, person)
        self.address = admin_pages.address_of_objects(obj)
        self.explain = "" if person is None else admin_pages.address_of_explanation(person.pk)
        return super().get_formset(request, obj, **kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return nothing: the template shows the rows, and there is no form for them."""
        return super().get_queryset(request).none()

    def has_view_permission(self, request: HttpRequest, obj: "models.Model | None" = None) -> bool:
        """Require the permission to see assignments."""
        user: Any = request.user
        return obj is not None and user.has_perm(SEES)


class GroupObjectsInline(ObjectsInline):
    """Some of the object permissions of a group."""

    model: Any = get_group_obj_perms_model()
    fk_name = "group"


def link_to_explanation(user_pk: object) -> str:
    """Return the link to the page that explains a person's permissions."""
    return _link(admin_pages.address_of_explanation(user_pk))


def _link(address: str) -> str:
    return format_html('<a href="{}">{}</a>', address, _("Explain"))


def add_inlines(model: "type[models.Model]", *inlines: Any) -> None:
    """Add inlines to the admin page of people or groups, whichever admin class the site uses."""
    if admin.site.is_registered(model):
        theirs: Any = admin.site.get_model_admin(model)
        theirs.inlines = (*theirs.inlines, *inlines)


add_inlines(get_user_model(), RolesInline, ObjectsInline)
add_inlines(Group, GroupRolesInline, GroupObjectsInline)
