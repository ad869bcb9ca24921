"""The shapes of answers, for the schema."""

from rest_framework import serializers

from auth_core.api.shapes import Shape


class RoleShape(Shape):
    """A role, and what it may do."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    permissions = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()


class AssignmentShape(Shape):
    """Who holds which role, from when until when, granted by whom and why."""

    id = serializers.UUIDField()
    user = serializers.UUIDField()
    role = serializers.UUIDField()
    reason = serializers.CharField(allow_blank=True)
    valid_from = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(allow_null=True)
    granted_by = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()
