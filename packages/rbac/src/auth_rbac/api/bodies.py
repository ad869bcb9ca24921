"""Bodies of requests, and the filters of lists."""

from typing import Any, TypedDict
from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework import serializers

from auth_core.api.bodies import Body, TextField, optional, value
from auth_core.errors import FieldError, InvalidRequest
from auth_rbac.models import Holder, HolderKind

#: The most objects in one request: one page.
MOST_OBJECTS = 200


class NamesField(serializers.ListField):
    """Names of permissions or patterns. Left out: they do not change."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"child": TextField(max_length=205), "required": False, "max_length": 500, **kwargs})


class IdsField(serializers.ListField):
    """Ids of objects. DRF checks each with its own field, so a page of plain ids is checked at once."""

    _MOST_CHARACTERS = 255

    def __init__(self, **kwargs: Any) -> None:
        child = TextField(max_length=self._MOST_CHARACTERS)
        super().__init__(**{"child": child, "min_length": 1, "max_length": MOST_OBJECTS, **kwargs})

    def to_internal_value(self, data: Any) -> Any:
        """Return the ids."""
        if isinstance(data, list) and 0 < len(data) <= MOST_OBJECTS and self._are_plain(data):
            return data
        return super().to_internal_value(data)

    def _are_plain(self, ids: list[object]) -> bool:
        """Tell whether the child would return each of *ids* unchanged."""
        texts = [each for each in ids if type(each) is str]
        if len(texts) < len(ids) or not 0 < min(map(len, texts)) <= max(map(len, texts)) <= self._MOST_CHARACTERS:
            return False
        characters = "".join(texts)
        return characters.isascii() and characters.replace("-", "").isalnum()


class NamedObject(TypedDict):
    """The validated value of an `ObjectBody`."""

    type: str
    id: str


class InnerBody(Body):
    """An object inside a body."""

    def to_internal_value(self, data: object) -> Any:
        """Refuse unknown fields. `Body.parse` checks only the outermost names."""
        if isinstance(data, dict) and set(data) - set(self.fields):
            raise serializers.ValidationError(_("Unknown field."), code="unknown_field")
        return super().to_internal_value(data)


class ObjectBody(InnerBody):
    """An object of the site."""

    type = value(TextField(max_length=201, help_text="app.model"))
    id = value(TextField(max_length=255))


def kind_field(*kinds: HolderKind, **options: Any) -> serializers.ChoiceField:
    """Return a field for the kind of a holder."""
    return serializers.ChoiceField(choices=[kind.value for kind in kinds], **options)


class HolderBody(InnerBody):
    """Who holds a role, by public id."""

    kind = value(kind_field(*HolderKind))
    id = value(serializers.UUIDField())

    def to_internal_value(self, data: object) -> Any:
        """Return the holder."""
        fields = super().to_internal_value(data)
        return Holder(HolderKind(fields["kind"]), fields["id"])


class GranteeBody(HolderBody):
    """Who holds a permission for an object, by public id. A service holds roles only."""

    kind = value(kind_field(HolderKind.PERSON, HolderKind.GROUP))


class SubjectBody(HolderBody):
    """The subject of a question, by public id."""

    kind = value(kind_field(HolderKind.PERSON, HolderKind.SERVICE))


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
    """``POST assignments/``: a person, a group or a service, a role, and its scope."""

    holder: Holder = value(HolderBody())
    role = value(serializers.UUIDField())
    scope: NamedObject | None = optional(ObjectBody(required=False, help_text="Default: everywhere."))
    reason = optional(TextField(max_length=300, required=False, allow_blank=True))
    valid_from = optional(serializers.DateTimeField(required=False))
    valid_until = optional(serializers.DateTimeField(required=False))


class AssignmentFilters(Body):
    """``GET assignments/``."""

    holder_kind = optional(kind_field(*HolderKind, required=False))
    holder = optional(serializers.UUIDField(required=False, help_text="Together with *holder_kind*: one holder."))
    role = optional(serializers.UUIDField(required=False))


class ObjectPermissionBody(Body):
    """``POST object-permissions/``: a person or a group, a permission, and an object."""

    holder: Holder = value(GranteeBody())
    permission = value(TextField(max_length=201, help_text="app.codename"))
    object: NamedObject = value(ObjectBody())


class ObjectPermissionFilters(Body):
    """``GET object-permissions/``."""

    holder_kind = optional(kind_field(HolderKind.PERSON, HolderKind.GROUP, required=False))
    holder = optional(serializers.UUIDField(required=False, help_text="Together with *holder_kind*: one holder."))
    permission = optional(TextField(max_length=201, required=False, help_text="app.codename"))
    type = optional(TextField(max_length=201, required=False, help_text="app.model"))
    id = optional(TextField(max_length=255, required=False, help_text="Together with *type*: one object."))


class CheckBody(Body):
    """``POST access/check/`` and ``access/explain/``."""

    permission = value(TextField(max_length=201, help_text="app.codename"))
    object: NamedObject | None = optional(ObjectBody(required=False, help_text="Default: everywhere."))
    subject: Holder | None = optional(SubjectBody(required=False, help_text="Default: the caller."))


class CheckManyBody(Body):
    """``POST access/check-many/``: objects of one kind."""

    permission = value(TextField(max_length=201, help_text="app.codename"))
    type = value(TextField(max_length=201, help_text="app.model"))
    ids: list[str] = value(IdsField())
    subject: Holder | None = optional(SubjectBody(required=False, help_text="Default: the caller."))


class ObjectsFilters(Body):
    """``GET access/objects/``."""

    permission = value(TextField(max_length=201, help_text="app.codename"))
    type = value(TextField(max_length=201, help_text="app.model"))
    subject_kind = optional(kind_field(HolderKind.PERSON, HolderKind.SERVICE, required=False))
    subject = optional(
        serializers.UUIDField(required=False, help_text="Together with *subject_kind*. Default: the caller.")
    )


class SubjectsFilters(Body):
    """``GET access/subjects/``."""

    permission = value(TextField(max_length=201, help_text="app.codename"))
    type = optional(
        TextField(max_length=201, required=False, help_text="app.model. Without *type* and *id*: everywhere.")
    )
    id = optional(TextField(max_length=255, required=False))
    subject_kind = value(kind_field(HolderKind.PERSON, HolderKind.SERVICE, default=HolderKind.PERSON.value))


class GroupFilters(Body):
    """``GET groups/``."""

    name = optional(TextField(max_length=150, required=False, help_text="The group's name."))


def named_holder(kind: str | None, public_id: UUID | None, field: str) -> Holder | None:
    """Return the holder that two filters name, or ``None`` if the second is left out.

    Raises:
        InvalidRequest: an id without a kind. *field* is the name of the filter with the kind.
    """
    if public_id is None:
        return None
    if kind is None:
        raise InvalidRequest(FieldError(field, "required", _("Enter a kind together with the id.")))
    return Holder(HolderKind(kind), public_id)
