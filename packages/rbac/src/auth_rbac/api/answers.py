"""Shapes of answers, for the schema."""

from rest_framework import serializers

from auth_core.api.answers import Shape


class RoleShape(Shape):
    """A role with its own content. The content of its parents is not included."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    permissions = serializers.ListField(child=serializers.CharField())
    denials = serializers.ListField(child=serializers.CharField())
    wildcards = serializers.ListField(child=serializers.CharField())
    denied_wildcards = serializers.ListField(child=serializers.CharField())
    parents = serializers.ListField(child=serializers.UUIDField())
    created_at = serializers.DateTimeField()


class ScopeShape(Shape):
    """An object of the site: the scope of an assignment, or the object of a permission."""

    type = serializers.CharField()
    id = serializers.CharField()


class HolderShape(Shape):
    """Who holds something, by public id."""

    kind = serializers.CharField(help_text="person, group or service")
    id = serializers.UUIDField()


class GroupShape(Shape):
    """A group with its public id."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class AssignmentShape(Shape):
    """An assignment: who has which role, where, from when until when, who granted it and why."""

    id = serializers.UUIDField()
    holder = HolderShape()
    role = serializers.UUIDField()
    scope = ScopeShape(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    valid_from = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)
    granted_by = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()


class ObjectPermissionShape(Shape):
    """A permission for one object."""

    id = serializers.CharField(help_text="A text of letters, digits, - and _.")
    holder = HolderShape()
    permission = serializers.CharField()
    object = ScopeShape()


class DecisionShape(Shape):
    """Whether a person or a service has a permission."""

    allowed = serializers.BooleanField()
    reason = serializers.CharField(help_text="superuser, role, object, alone, denied, nothing or inactive")
    until = serializers.DateTimeField(allow_null=True, help_text="When the decision expires without any change.")


class ObjectDecisionShape(DecisionShape):
    """A decision about one of several objects."""

    id = serializers.CharField()


class DecisionsShape(Shape):
    """A decision for each id, in the same order."""

    decisions = ObjectDecisionShape(many=True)


class GrantPathShape(Shape):
    """One path to a permission or to its denial."""

    effect = serializers.CharField(help_text="allows or denies")
    source = serializers.CharField(help_text="role, object or alone")  # type: ignore[assignment]  # DRF has an attribute of this name
    statement = serializers.CharField()
    holder = HolderShape()
    group = serializers.CharField(allow_blank=True)
    roles = serializers.ListField(child=serializers.CharField())
    assignment = serializers.UUIDField(allow_null=True)
    scope = serializers.CharField()
    valid_from = serializers.DateTimeField(allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)
    granted_by = serializers.UUIDField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    counts = serializers.BooleanField()
    lacks = serializers.CharField(allow_blank=True, help_text="not_begun, over or elsewhere")


class ExplanationShape(Shape):
    """A decision, and every path that leads to it."""

    permission = serializers.CharField()
    decision = DecisionShape()
    sentence = serializers.CharField()
    paths = GrantPathShape(many=True)
    granting_roles = serializers.ListField(child=serializers.CharField())


class ObjectShape(Shape):
    """An object for which a person or a service has a permission."""

    id = serializers.CharField()


class SubjectShape(Shape):
    """A person or a service that has a permission."""

    kind = serializers.CharField(help_text="person or service")
    id = serializers.UUIDField()
