"""The shapes of answers, for the schema."""

from rest_framework import serializers

from auth_core.api.shapes import Shape


class PlaceShape(Shape):
    """Where a session was opened, by its network address."""

    country = serializers.CharField(allow_null=True, help_text="ISO 3166-1 alpha-2.")
    network = serializers.CharField(allow_null=True, help_text="An IPv4 address, or an IPv6 /64.")


class SessionDeviceShape(Shape):
    """The browser or app of a session."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    kind = serializers.CharField(help_text="desktop, mobile, tablet, app, bot or other.")
    os = serializers.CharField(allow_blank=True)
    browser = serializers.CharField(allow_blank=True)


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
    place = PlaceShape()
    device = SessionDeviceShape(allow_null=True)
    risk_score = serializers.IntegerField(allow_null=True, help_text="0 to 100. Null: not assessed.")


class RiskReasonShape(Shape):
    """One signal that added to the score."""

    signal = serializers.CharField()
    weight = serializers.IntegerField()
    evidence = serializers.CharField()


class RiskShape(Shape):
    """The risk assessment of the login that opened a session."""

    score = serializers.IntegerField(allow_null=True, help_text="0 to 100. Null: not assessed.")
    demand = serializers.CharField(allow_null=True, help_text="The current demand for this score.")
    reasons = RiskReasonShape(many=True)


class FoundSessionShape(SessionShape):
    """A session, as an administrator sees it."""

    subject = serializers.UUIDField(allow_null=True, help_text="Public id of the user.")
    device_known = serializers.BooleanField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_reason = serializers.CharField(allow_blank=True)


class DeviceShape(SessionDeviceShape):
    """A device, as its owner sees it."""

    current = serializers.BooleanField(help_text="Whether this session was opened in it.")
    recognised = serializers.BooleanField(
        help_text="Whether a cookie identifies it. Otherwise it is only described and never known."
    )
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    blocked_at = serializers.DateTimeField(allow_null=True)
    places = PlaceShape(many=True)
