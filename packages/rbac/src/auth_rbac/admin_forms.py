"""The forms of the admin pages. They check only the shape of the input."""

from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _

from auth_core.errors import AuthError, InvalidRequest
from auth_rbac.holders.descriptions import describe_services, has_services
from auth_rbac.holders.lookup import find_subject
from auth_rbac.models import Assignment, Role
from auth_rbac.names import InvalidName, key_of
from auth_rbac.objects.object_ids import find_objects, model_named
from auth_rbac.permission_names import pattern_parts


class PatternsField(forms.CharField):
    """A text area for wildcards, one per line."""

    def __init__(self, **kwargs: Any) -> None:
        help_text = _("app.* or app.model.*, one per line. Future permissions are included.")
        super().__init__(
            **{"required": False, "widget": forms.Textarea(attrs={"rows": 3}), "help_text": help_text, **kwargs}
        )

    def clean(self, value: object) -> list[str]:
        """Return the patterns."""
        patterns = str(super().clean(value)).split()
        for pattern in patterns:
            try:
                pattern_parts(pattern)
            except InvalidRequest as refusal:
                raise forms.ValidationError(refusal.errors[0].detail) from refusal
        return patterns


class RoleForm(forms.ModelForm):  # type: ignore[type-arg]  # Django cannot subscript it
    """Creates and changes roles. It refuses a confusable name beside the field."""

    #: The fields with the content of the role.
    CONTENT: ClassVar = ("permissions", "denials", "wildcards", "denied_wildcards", "parents")

    wildcards = PatternsField(label=_("Wildcards"))
    denied_wildcards = PatternsField(label=_("Denied wildcards"))
    parents = forms.ModelMultipleChoiceField(
        Role.objects.order_by("key"),
        required=False,
        label=_("Parents"),
        help_text=_("The role inherits their permissions and denials."),
    )

    class Meta:
        model = Role
        fields = ("name", "description", "permissions", "denials")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = self.instance
        if not role._state.adding:
            rows = list(role.wildcards.all())
            for field, denies in (("wildcards", False), ("denied_wildcards", True)):
                self.initial[field] = "\n".join(row.pattern for row in rows if row.denies is denies)
            self.initial["parents"] = [edge.parent_id for edge in role.edges_up.all()]

    def clean_name(self) -> str:
        """Return the name, if it is valid and not taken."""
        name: str = self.cleaned_data["name"]
        try:
            key = key_of(name)
        except InvalidName as error:
            raise forms.ValidationError(_("This name cannot be used for a role."), code=error.code) from error
        if Role.objects.filter(key=key).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("A role with this name already exists."), code="taken")
        return name


class AssignmentForm(forms.ModelForm):  # type: ignore[type-arg]  # Django cannot subscript it
    """Assigns a role, and looks up the object of the scope."""

    class Meta:
        model = Assignment
        fields = (
            "user", "group", "service_id", "role", "scope_type", "scope_id", "valid_from", "valid_until", "reason",
        )  # fmt: skip

    def clean_service_id(self) -> UUID | None:
        """Return the public id of the service, which must exist."""
        service_id: UUID | None = self.cleaned_data["service_id"]
        if service_id is not None and not describe_services({service_id}):
            unregistered = _("No app of this site registers services.")
            text = _("Service not found.") if has_services() else unregistered
            raise forms.ValidationError(text, code="unknown_holder")
        return service_id

    def clean(self) -> dict[str, Any]:
        """Return the fields, and the object as ``scope``."""
        cleaned = super().clean() or self.cleaned_data
        kind: ContentType | None = cleaned.get("scope_type")
        fields = ("user", "group", "service_id")
        if not self.errors.keys() & set(fields) and sum(cleaned.get(name) is not None for name in fields) != 1:
            raise forms.ValidationError(_("Choose one person, one group or one service."))
        model = None if kind is None else kind.model_class()
        if (kind is None) != (not cleaned.get("scope_id")):
            raise forms.ValidationError({"scope_id": _("Enter both a kind of object and its key, or neither.")})
        if model is not None:
            cleaned["scope"] = _object(model, str(cleaned["scope_id"]), "scope_id")
        return cleaned


class ExplainForm(forms.Form):
    """Explains one permission, everywhere or for one object."""

    permission = forms.CharField(max_length=201, label=_("Permission"), help_text=_("app.codename"))
    kind = forms.CharField(max_length=201, required=False, label=_("Kind of object"), help_text=_("app.model"))
    key = forms.CharField(max_length=255, required=False, label=_("Object"))

    def clean(self) -> dict[str, Any]:
        """Return the fields, and the object."""
        cleaned = super().clean() or self.cleaned_data
        if bool(cleaned.get("kind")) != bool(cleaned.get("key")):
            raise forms.ValidationError(_("Enter both a kind of object and its key, or neither."))
        if cleaned.get("kind"):
            try:
                model = model_named(cleaned["kind"])
            except InvalidRequest as refusal:
                raise forms.ValidationError({"kind": refusal.errors[0].detail}) from refusal
            cleaned["object"] = _object(model, cleaned["key"], "key")
        return cleaned

    def named_object(self) -> models.Model | None:
        """Return the object, if the form names one."""
        obj: models.Model | None = self.cleaned_data.get("object")
        return obj


class AskForm(ExplainForm):
    """Explains one permission of any person or service."""

    subject = forms.CharField(
        max_length=320,
        label=_("Person or service"),
        help_text=_("The name or address they sign in with, or the public ID of a person or a service."),
    )
    field_order = ("subject", "permission", "kind", "key")

    def clean_subject(self) -> Any:
        """Return the person or the service."""
        subject = find_subject(self.cleaned_data["subject"])
        if subject is None:
            raise forms.ValidationError(_("Person or service not found."))
        return subject


class ObjectPermissionForm(ExplainForm):
    """Grants or revokes one permission for one object."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].required = self.fields["key"].required = True


def _object(model: type[models.Model], key: str, field: str) -> models.Model:
    try:
        return find_objects(model, [key])[0]
    except AuthError as refusal:
        raise forms.ValidationError({field: _("Object not found.")}) from refusal
