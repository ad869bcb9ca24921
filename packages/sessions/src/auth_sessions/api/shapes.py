"""The shapes of answers, for the schema."""

from rest_framework import serializers

from auth_core.api.shapes import Shape


class SessionShape(Shape):
    """A session, as its owner sees it."""

    id = serializers.UUIDField()
    current = serializers.BooleanField()
    transport = serializers.CharField()
    acr = serializers.CharField()
    amr = serializers.ListField(child=serializers.CharField())
    auth_time = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    idle_expires_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    ip = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField(allow_blank=True)
