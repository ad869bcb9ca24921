"""The bodies of requests, and the filters of lists."""

from rest_framework import serializers

from auth_core.api.serializers import Body, TextField


class AssignmentBody(Body):
    """``POST assignments/``."""

    user = serializers.UUIDField(help_text="The person's public id.")
    role = serializers.UUIDField()
    reason = TextField(max_length=300, required=False, allow_blank=True)
    valid_from = serializers.DateTimeField(required=False)
    valid_until = serializers.DateTimeField(required=False)


class AssignmentFilters(Body):
    """``GET assignments/``."""

    user = serializers.UUIDField(required=False)
    role = serializers.UUIDField(required=False)
