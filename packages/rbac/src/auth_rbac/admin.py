"""Roles and assignments in the admin site; every change goes through the function that records and guards it."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from auth_core.administration import Act
from auth_core.errors import AuthError
from auth_core.observability.denials import mark_denied_by
from auth_rbac import admin_pages
from auth_rbac.admin_forms import AssignmentForm, RoleForm
from auth_rbac.models import Assignment, Role
from auth_rbac.objects.object_list import SEES, object_rows
from auth_rbac.roles.assignments import assign_role, revoke_role
from auth_rbac.roles.roles import change_role, create_role, delete_role


class RecordingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Says a refusal on the page, and nothing of a success that was none."""

    changes_are = Act.CRITICAL

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer a refusal with the page that it was sent from."""
        return self._or_refusal(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """As above."""
        return self._or_refusal(request, super().delete_view, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """As above: actions are taken there."""
        return self._or_refusal(request, super().changelist_view, *args, **kwargs)

    def _or_refusal(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            answer: HttpResponse = view(request, *args, **kwargs)
        except AuthError as refusal:
            mark_denied_by(refusal)
            told = [error.detail for error in refusal.errors] or [refusal.detail]
            self.message_user(request, " ".join(told), messages.ERROR)
            return self.response_post_save_change(request, None)
        return answer


@admin.register(Role)
class RoleAdmin(RecordingAdmin):
    """Makes, changes and deletes roles; a name is given once."""

    form = RoleForm
    list_display = ("name", "description", "created_at")
    search_fields = ("key",)
    ordering = ("key",)
    filter_horizontal = ("permissions", "denials")
    fields = ("name", "description", "permissions", "wildcards", "denials", "denied_wildcards", "parents")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Keep the name of what is there: the trail speaks of it."""
        return () if obj is None else ("name",)

    def save_model(self, request: HttpRequest, obj: Role, form: Any, change: bool) -> None:
        """Make or change it with its event, all that it says at once."""
        said = {name: form.cleaned_data[name] for name in RoleForm.SAID}
        if change:
            # Read again: the form has written its values into *obj*, which would look as if nothing changed.
            change_role(role=Role.objects.get(pk=obj.pk), description=obj.description, actor=request.user, **said)
        else:
            made = create_role(name=obj.name, description=obj.description, actor=request.user, **said)
            obj.pk, obj.key, obj._state = made.pk, made.key, made._state

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Leave it: it is saved with its event already, and the form would write it past that."""

    def delete_model(self, request: HttpRequest, obj: Role) -> None:
        """Delete it with its event."""
        delete_role(role=obj, actor=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Delete each with its event."""
        with transaction.atomic():
            for role in queryset:
                delete_role(role=role, actor=request.user)


@admin.register(Assignment)
class AssignmentAdmin(RecordingAdmin):
    """Grants and revokes roles; another time or person is another assignment."""

    form = AssignmentForm
    list_display = ("holder", "role", "scope", "valid_from", "valid_until", "granted_by", "why")
    list_select_related = ("user", "group", "role", "granted_by")
    list_filter = ("role",)
    search_fields = ("=user__email_addresses__key", "=group__name")
    ordering = ("-id",)
    change_list_template = "auth_rbac/assignment_list.html"
    show_full_result_count = False
    raw_id_fields = ("user", "group")
    fields = ("user", "group", "role", "scope_type", "scope_id", "valid_from", "valid_until", "reason")

    @admin.display(description=_("holder"))
    def holder(self, assignment: Assignment) -> str:
        """Return whom it was given to."""
        return str(assignment.user or assignment.group)

    @admin.display(description=_("why"))
    def why(self, assignment: Assignment) -> str:
        """Return the way to everything that is said of the person."""
        return "" if assignment.user_id is None else link_to_explanation(assignment.user_id)

    def get_urls(self) -> list[Any]:
        """Add the pages that explain, and those of permissions for single objects."""
        return [
            path("explain/", self._page(admin_pages.explain_anybody), name="auth_rbac_explain_anybody"),
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
        """Return a page of this admin for whoever may see assignments, known to be one like Django's own."""

        def page(request: HttpRequest, **named: str) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            return view(self, request, **named)

        wrapped: Any = self.admin_site.admin_view(page)
        wrapped.model_admin = self
        return wrapped

    def save_model(self, request: HttpRequest, obj: Assignment, form: Any, change: bool) -> None:
        """Grant it with its event."""
        made = assign_role(
            user=obj.user,
            group=obj.group,
            role=obj.role,
            scope=form.cleaned_data.get("scope"),
            granted_by=request.user,
            reason=obj.reason,
            valid_from=obj.valid_from,
            valid_until=obj.valid_until,
        )
        obj.pk, obj._state = made.pk, made._state

    def delete_model(self, request: HttpRequest, obj: Assignment) -> None:
        """Revoke it with its event."""
        revoke_role(assignment=obj, revoked_by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        """Revoke each with its event."""
        with transaction.atomic():
            for assignment in queryset.select_related("user", "role"):
                revoke_role(assignment=assignment, revoked_by=request.user)

    def has_change_permission(self, request: HttpRequest, obj: Assignment | None = None) -> bool:
        """Refuse."""
        return False


class BesideInline(admin.TabularInline):  # type: ignore[type-arg]  # Django cannot subscript it
    """What somebody holds, on their own page; it is given and taken away where it is recorded."""

    extra = 0
    can_delete = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask; there is nothing to see of who is not made yet."""
        return obj is not None and super().has_view_permission(request, obj)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return all: whoever may not see them has no such inline, and Django does not say here whose page it is."""
        return super(InlineModelAdmin, self).get_queryset(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


class HeldInline(BesideInline):
    """The roles of a person, with the way to the explanation."""

    model = Assignment
    fk_name = "user"
    fields = readonly_fields = ("role", "scope", "valid_from", "valid_until", "granted_by", "reason", "why")
    verbose_name_plural = _("roles")

    @admin.display(description=_("why"))
    def why(self, assignment: Assignment) -> str:
        """Return the way to everything that is said of the person."""
        return link_to_explanation(assignment.user_id)


class HeldByGroupInline(BesideInline):
    """The roles of a group."""

    model = Assignment
    fk_name = "group"
    fields = readonly_fields = ("role", "scope", "valid_from", "valid_until", "granted_by", "reason")
    verbose_name_plural = _("roles")


class ObjectsInline(BesideInline):
    """A few of the permissions for single objects, of whichever table, with the way to all of them."""

    model: Any = get_user_obj_perms_model()
    fk_name = "user"
    template = "auth_rbac/objects_inline.html"
    verbose_name_plural = _("permissions for single objects")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Look up what the template shows; an inline lives for one request."""
        person = None if isinstance(obj, Group) else obj
        found = object_rows(seen_by=request.user, holder=obj).order_by("-position")[0 : admin_pages.BESIDE]
        self.rows = admin_pages.shown(found, person)
        self.address = admin_pages.address_of_objects(obj)
        self.explain = "" if person is None else admin_pages.address_of_explanation(person.pk)
        return super().get_formset(request, obj, **kwargs)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Return nothing: the rows of one table, however many, are no form."""
        return super().get_queryset(request).none()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Ask for what lets somebody see assignments."""
        user: Any = request.user
        return obj is not None and user.has_perm(SEES)


class ObjectsOfGroupInline(ObjectsInline):
    """The same of a group."""

    model: Any = get_group_obj_perms_model()
    fk_name = "group"


def link_to_explanation(user_pk: Any) -> str:
    """Return the link to the page that says what somebody may do, and why."""
    return format_html('<a href="{}">{}</a>', admin_pages.address_of_explanation(user_pk), _("Explain"))


def show_beside(model: Any, *inlines: Any) -> None:
    """Put what people or groups hold on their page of whichever admin the site has for them."""
    if admin.site.is_registered(model):
        theirs: Any = admin.site.get_model_admin(model)
        theirs.inlines = (*theirs.inlines, *inlines)


show_beside(get_user_model(), HeldInline, ObjectsInline)
show_beside(Group, HeldByGroupInline, ObjectsOfGroupInline)
