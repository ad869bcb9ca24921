"""Bodies of requests, and the filters of lists."""

from typing import Any, TypedDict
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework import serializers

from auth_core.api.bodies import Body, TextField, optional, value

#: The most objects in one request: one page.
MOST_OBJECTS = 200


class NamesField(serializers.ListField):
    """Names of permissions or patterns. Left out: they do not change."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"child": TextField(max_length=205), "required": False, "max_length": 500, **kwargs})


class NamedObject(TypedDict):
    """The validated value of an `ObjectBody`."""

    type: str
    id: str


class ObjectBody(Body):
    """An object of the site."""

    type = value(TextField(max_length=201, help_text="app.model"))
    id = value(TextField(max_length=255))

    def to_internal_value(self, data: object) -> Any:
        """Refuse unknown fields. `Body.parse` checks only the outermost names."""
        if isinstance(data, dict) and set(data) - set(self.fields):
            raise serializers.ValidationError(_("Unknown field."), code="unknown_field")
        return super().to_internal_value(data)


class RoleBody(Body):
    """``POST roles/``."""

    name = value(TextField(max_length=200))
    description = optional(TextField(max_length=300, required=False, allow_blank=True))
    permissions: list[str] | None = optional(NamesField())
    denials: list[str] | None = optional(NamesField())
    wildcards: list[str] | None = optional(NamesField())
    denied_wildcards: list[str] | None = optional(NamesField())
    parents: list[UUID] | None = optional(NamesField(child=serializers.UUIDField()))


class RoleChangeBody(Body):
    """``PATCH roles/{id}/``. What is left out does not change. The name of a role never changes."""

    description = optional(TextField(max_length=300, required=False, allow_blank=True))
    permissions: list[str] | None = optional(NamesField())
    denials: list[str] | None = optional(NamesField())
    wildcards: list[str] | None = optional(NamesField())
    denied_wildcards: list[str] | None = optional(NamesField())
    parents: list[UUID] | None = optional(NamesField(child=serializers.UUIDField()))


class AssignmentBody(Body):
    """``POST assignments/``: a person or a group, a role, and its scope."""

    user = optional(serializers.UUIDField(required=False, help_text="The person's public ID."))
    group = optional(TextField(max_length=150, required=False, help_text="The group's name."))
    role = value(serializers.UUIDField())
    scope: NamedObject | None = optional(ObjectBody(required=False, help_text="Default: everywhere."))
    reason = optional(TextField(max_length=300, required=False, allow_blank=True))
    valid_from = optional(serializers.DateTimeField(required=False))
    valid_until = optional(serializers.DateTimeField(required=False))


class AssignmentFilters(Body):
    """``GET assignments/``."""

    user = optional(serializers.UUIDField(required=False))
    role = optional(serializers.UUIDField(required=False))


class ObjectPermissionBody(Body):
    """``POST object-permissions/``: a person or a group, a permission, and an object."""

    user = optional(serializers.UUIDField(required=False, help_text="The person's public ID."))
    group = optional(TextField(max_length=150, required=False, help_text="The group's name."))
    permission = value(TextField(max_length=201, help_text="app.codename"))
    object: NamedObject = value(ObjectBody())


class ObjectPermissionFilters(Body):
    """``GET object-permissions/``."""

    user = optional(serializers.UUIDField(required=False))
    group = optional(TextField(max_length=150, required=False, help_text="The group's name."))
    permission = optional(TextField(max_length=201, required=False, help_text="app.codename"))
    type = optional(TextField(max_length=201, required=False, help_text="app.model"))
    id = optional(TextField(max_length=255, required=False, help_text="Together with *type*: one object."))


class CheckBody(Body):
    """``POST access/check/`` and ``access/explain/``."""

    permission = value(TextField(max_length=201, help_text="app.codename"))
    object: NamedObject | None = optional(ObjectBody(required=False, help_text="Default: everywhere."))
    user = optional(serializers.UUIDField(required=False, help_text="Default: the caller."))


class CheckManyBody(Body):
    """``POST access/check-many/``: objects of one kind."""

    permission = value(TextField(max_length=201, help_text="app.codename"))
    type = value(TextField(max_length=201, help_text="app.model"))
    ids: list[str] = value(
        serializers.ListField(child=TextField(max_length=255), min_length=1, max_length=MOST_OBJECTS)
    )
    user = optional(serializers.UUIDField(required=False, help_text="Default: the caller."))


class ObjectsFilters(Body):
    """``GET access/objects/``."""

    permission = value(TextField(max_length=201, help_text="app.codename"))
    type = value(TextField(max_length=201, help_text="app.model"))
    user = optional(serializers.UUIDField(required=False, help_text="Default: the caller."))


class SubjectsFilters(Body):
    """``GET access/subjects/``."""

    permission = value(TextField(max_length=201, help_text="app.codename"))
    type = optional(
        TextField(max_length=201, required=False, help_text="app.model. Without *type* and *id*: everywhere.")
    )
    id = optional(TextField(max_length=255, required=False))
