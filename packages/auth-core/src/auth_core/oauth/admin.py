"""Applications, resources, signing keys and what people gave, in the admin site.

The admin of django-oauth-toolkit is not offered: its tables of tokens stay empty, and its form for applications knows neither the
policy nor the rules for addresses. Every change here goes through the function that records and guards it.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from oauth2_provider.models import (
    get_access_token_model,
    get_application_model,
    get_grant_model,
    get_id_token_model,
    get_refresh_token_model,
)

from auth_core.admin_batches import change_each
from auth_core.admin_permissions import ActionsAdmin, ReadOnlyAdmin, RecordingAdmin
from auth_core.assurance.evidence import session_of
from auth_core.oauth import admin_pages
from auth_core.oauth.admin_forms import ApplicationForm, InitialTokenForm, ResourceForm
from auth_core.oauth.applications.changes import change_application, remove_application
from auth_core.oauth.applications.resources import change_resource, create_resource, remove_resource
from auth_core.oauth.clients.registration import create_application
from auth_core.oauth.dynamic.initial_tokens import end_initial_token, issue_initial_token
from auth_core.oauth.grants.people import end_for_person
from auth_core.oauth.models import (
    ApplicationPolicy,
    Authorization,
    Consent,
    InitialAccessToken,
    Resource,
    SigningKey,
)
from auth_core.pages.base import see_other

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.forms import BaseFormSet

for _model in (
    get_access_token_model(),
    get_application_model(),
    get_grant_model(),
    get_id_token_model(),
    get_refresh_token_model(),
):
    if admin.site.is_registered(_model):
        admin.site.unregister(_model)


class WrittenByFunctions(RecordingAdmin):
    """Rows whose form a function writes."""

    show_full_result_count = False
    ordering = ("-id",)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: "Iterable[BaseFormSet[Any]]", change: bool
    ) -> None:
        """Skip: the function has written everything, with its event."""

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Remove each row with its event, or none."""
        with transaction.atomic():
            for row in queryset:
                self.delete_model(request, row)


@admin.register(ApplicationPolicy)
class ApplicationAdmin(WrittenByFunctions):
    """Registers, changes, disables and removes applications. One page has both rows of an application, and no secret."""

    form = ApplicationForm
    change_form_template = "auth_oauth/application_form.html"
    list_display = ("name", "client_id", "kind", "is_active", "is_first_party", "is_service_account", "created_at")
    list_select_related = ("application",)
    list_filter = ("is_active", "is_first_party", "is_service_account")
    search_fields = ("=application__client_id", "application__name")
    actions = ("disable", "enable")

    @admin.display(description=_("name"), ordering="application__name")
    def name(self, policy: ApplicationPolicy) -> str:
        """Return the name."""
        return str(policy.application)

    @admin.display(description=_("client ID"))
    def client_id(self, policy: ApplicationPolicy) -> str:
        """Return the id that its requests send."""
        row: Any = policy.application
        return str(row.client_id)

    @admin.display(description=_("kind"))
    def kind(self, policy: ApplicationPolicy) -> str:
        """Return whether it has a secret."""
        row: Any = policy.application
        return str(row.get_client_type_display())

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields of the form. Whether an application is public is decided once."""
        names = [name for name in ApplicationForm.base_fields if name != ("active" if obj is None else "public")]
        return names if obj is None else [*self.get_readonly_fields(request, obj), *names]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Show the ids of an application that exists."""
        return () if obj is None else ("id", "client_id", "kind", "created_at", "previous_secret_until")

    def get_urls(self) -> list[Any]:
        """Add the page of the secret."""
        return [
            path(
                "<path:object_id>/secret/",
                self._page(admin_pages.secret),
                name="auth_oauth_applicationpolicy_secret",
            ),
            *super().get_urls(),
        ]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Refuse to register one in a session that could not show its secret."""
        object_id = args[0] if args else kwargs.get("object_id")
        if object_id is None and request.method == "POST" and session_of(request) is None:
            self.message_user(request, admin_pages.NO_SESSION, messages.ERROR)
            return see_other("admin:auth_oauth_applicationpolicy_changelist")
        return super().changeform_view(request, *args, **kwargs)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Link to the page of the secret."""
        policy = kwargs.get("obj")
        if policy is not None and policy.uses_secret and self.has_change_permission(request, policy):
            context["secret_address"] = admin_pages.address_of_secret(policy)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: ApplicationPolicy, form: Any, change: bool) -> None:
        """Register or change the application with its event."""
        if change:
            change_application(policy=obj, actor=request.user, **form.changes())
            return
        session = session_of(request)
        shown_in = None if session is None else session.id
        made = create_application(actor=request.user, shown_in=shown_in, **form.changes())
        obj.pk, obj.application, obj._state = made.policy.pk, made.policy.application, made.policy._state

    def response_add(self, request: HttpRequest, obj: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Lead to the page that shows the secret."""
        answer = super().response_add(request, obj, *args, **kwargs)
        return see_other(admin_pages.address_of_secret(obj)) if obj.uses_secret else answer

    def delete_model(self, request: HttpRequest, obj: ApplicationPolicy) -> None:
        """Remove the application with its event."""
        remove_application(policy=obj, actor=request.user)

    @admin.action(description=_("Disable, and end what people gave"), permissions=["change"])
    def disable(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Disable the selected applications."""
        self._set_active(request, queryset, False)

    @admin.action(description=_("Enable"), permissions=["change"])
    def enable(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Enable the selected applications."""
        self._set_active(request, queryset, True)

    def _set_active(self, request: HttpRequest, queryset: "QuerySet[Any]", is_active: bool) -> None:
        actor = request.user
        changed = change_each(
            self, request, queryset, lambda row: change_application(policy=row, actor=actor, is_active=is_active)
        )
        message = ngettext("%d application changed.", "%d applications changed.", changed) % changed
        self.message_user(request, message, messages.SUCCESS)

    def _page(self, view: Callable[..., HttpResponse]) -> Any:
        """Return *view* as a page of this admin."""

        def page(request: HttpRequest, **arguments: Any) -> HttpResponse:
            return view(self, request, **arguments)

        wrapped: Any = self.admin_site.admin_view(page)
        wrapped.model_admin = self
        return wrapped


@admin.register(Resource)
class ResourceAdmin(WrittenByFunctions):
    """Registers, changes and removes resources. The URI of a resource never changes."""

    form = ResourceForm
    list_display = ("uri", "name", "application", "token_format", "is_active")
    list_select_related = ("application",)
    search_fields = ("=uri",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields of the form."""
        return list(ResourceForm.base_fields)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Make the URI of an existing resource read-only."""
        return () if obj is None else ("uri",)

    def save_model(self, request: HttpRequest, obj: Resource, form: Any, change: bool) -> None:
        """Register or change the resource with its event."""
        if change:
            change_resource(resource=obj, actor=request.user, **form.changes())
            return
        made = create_resource(actor=request.user, **form.changes())
        obj.pk, obj.uri, obj._state = made.pk, made.uri, made._state

    def delete_model(self, request: HttpRequest, obj: Resource) -> None:
        """Remove the resource with its event."""
        remove_resource(resource=obj, actor=request.user)


@admin.register(InitialAccessToken)
class InitialAccessTokenAdmin(WrittenByFunctions):
    """Issues tokens with which applications register themselves, shows each once, and ends them. None is ever changed."""

    form = InitialTokenForm
    list_display = ("name", "uses_left", "created_at", "expires_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields of the form, or what is known of a token that exists."""
        return list(InitialTokenForm.base_fields) if obj is None else self.get_readonly_fields(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Show all of a token that exists, its digest apart."""
        return () if obj is None else (
            "id", "name", "scopes", "authorization_details_types", "uses_left", "created_at", "expires_at",
        )  # fmt: skip

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: a token is ended, and another one is issued."""
        return False

    def save_model(self, request: HttpRequest, obj: InitialAccessToken, form: Any, change: bool) -> None:
        """Issue the token with its event."""
        issued = issue_initial_token(actor=request.user, **form.values())
        obj.pk, obj.name, obj._state = issued.row.pk, issued.row.name, issued.row._state
        # For the answer to this very request. It is stored nowhere. The name is that of a secret, so that logs hide it.
        obj.client_secret = issued.token  # type: ignore[attr-defined]  # it is no column

    def response_add(self, request: HttpRequest, obj: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the token, in the answer to the form alone."""
        return admin_pages.initial_token(self, request, obj, client_secret=obj.client_secret)

    def delete_model(self, request: HttpRequest, obj: InitialAccessToken) -> None:
        """End the token with its event."""
        end_initial_token(row=obj, actor=request.user)


@admin.register(SigningKey)
class SigningKeyAdmin(ReadOnlyAdmin):
    """Lists signing keys without their private parts. `manage.py rotate_keys --signing` makes new ones."""

    list_display = ("kid", "algorithm", "created_at", "signs_from", "published_until")
    ordering = ("-id",)
    fields = readonly_fields = ("kid", "algorithm", "created_at", "signs_from", "published_until")


@admin.register(Authorization)
class AuthorizationAdmin(ActionsAdmin):
    """Shows what people gave to applications, without digests, and ends it."""

    list_display = ("id", "user", "application", "scope", "is_offline", "created_at", "expires_at", "ended_at")
    list_filter = ("is_offline",)
    list_select_related = ("user", "application")
    search_fields = ("=user__auth_identity__subject_id", "=application__client_id")
    ordering = ("-id",)
    actions = ("end",)
    fields = readonly_fields = (
        "id", "user", "application", "actor_id", "session_id", "scope", "resources", "authorization_details",
        "acr", "amr", "authenticated_at",
        "redirect_uri", "is_offline", "created_at", "expires_at", "ended_at", "ended_reason",
    )  # fmt: skip

    @admin.action(description=_("End, with every token"), permissions=["change"])
    def end(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """End the selected authorizations. Each is recorded with the administrator."""
        rows, actor = queryset.select_related("user", "application__auth_policy"), request.user
        ended = change_each(self, request, rows, lambda row: end_for_person(authorization=row, actor=actor))
        message = ngettext("%d authorization ended.", "%d authorizations ended.", ended) % ended
        self.message_user(request, message, messages.SUCCESS)


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    """Shows what people agreed to. Only they take it back."""

    list_display = ("user", "application", "scope", "given_at", "revoked_at")
    list_select_related = ("user", "application")
    search_fields = ("=user__auth_identity__subject_id", "=application__client_id")
    ordering = ("-id",)
    fields = readonly_fields = ("user", "application", "scope", "resources", "given_at", "revoked_at")
