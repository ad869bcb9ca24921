"""The shapes of answers, for the schema."""

from rest_framework import serializers

from auth_core.api.shapes import Shape


class TargetShape(Shape):
    """What something was done to."""

    kind = serializers.CharField()
    id = serializers.CharField()


class EntryShape(Shape):
    """An entry of the trail."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    recorded_at = serializers.DateTimeField()
    severity = serializers.CharField()
    outcome = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)
    subject = serializers.UUIDField(allow_null=True)
    actor = serializers.UUIDField(allow_null=True)
    on_behalf_of = serializers.UUIDField(allow_null=True)
    session = serializers.UUIDField(allow_null=True)
    application = serializers.UUIDField(allow_null=True)
    target = TargetShape(allow_null=True)
    changes = serializers.DictField()
    data = serializers.DictField()  # type: ignore[assignment]  # DRF has an attribute of this name
    ip = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField(allow_blank=True)
    correlation_id = serializers.CharField()
