"""The shapes of answers, for the schema."""

from rest_framework import serializers

from auth_core.api.shapes import Shape


class FactorShape(Shape):
    """A second factor, as its owner sees it."""

    id = serializers.UUIDField()
    method = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class TotpShape(Shape):
    """A begun authenticator app; the key is shown until it is confirmed, and never again."""

    id = serializers.UUIDField()
    secret = serializers.CharField(help_text="The key in Base32.")
    uri = serializers.CharField(help_text="otpauth://…")
    qr_svg = serializers.CharField(help_text="The same as a QR code, in SVG.")
