"""Shapes of answers, for the schema."""

from rest_framework import serializers

from auth_core.api.answers import Shape


class FactorShape(Shape):
    """A second factor as its owner sees it."""

    id = serializers.UUIDField()
    method = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    codes_left = serializers.IntegerField(required=False, help_text="For recovery codes only.")


class FoundFactorShape(FactorShape):
    """A second factor as an administrator sees it."""

    to = serializers.CharField(allow_blank=True, help_text="A hint of where its codes are sent.")
    is_exhausted = serializers.BooleanField(help_text="Whether it is disabled after too many wrong answers in a row.")


class TotpShape(Shape):
    """A begun authenticator app. The key is shown until the app is confirmed, and never again."""

    id = serializers.UUIDField()
    secret = serializers.CharField(help_text="The key in Base32.")
    uri = serializers.CharField(help_text="otpauth://…")
    qr_svg = serializers.CharField(help_text="The same as a QR code, in SVG.")


class BegunShape(Shape):
    """A begun phone or mailbox, which waits for the code that was sent to it."""

    id = serializers.UUIDField()
    method = serializers.CharField()
    to = serializers.CharField(help_text="A hint of where the code was sent.")
    is_sent = serializers.BooleanField(help_text="False if too many codes were already sent there.")
    expires_at = serializers.DateTimeField(allow_null=True)


class SheetShape(Shape):
    """A sheet of recovery codes, without the codes."""

    id = serializers.UUIDField()
    left = serializers.IntegerField()
    is_running_out = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class RecoveryCodesShape(Shape):
    """A new sheet of recovery codes, which are shown only here."""

    id = serializers.UUIDField()
    codes = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()


class RegistrationShape(Shape):
    """A begun registration."""

    id = serializers.UUIDField()
    options = serializers.DictField(help_text="For `PublicKeyCredential.parseCreationOptionsFromJSON()`.")


class PasskeyLoginShape(Shape):
    """A begun login. The answer names the user."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    options = serializers.DictField(help_text="For `PublicKeyCredential.parseRequestOptionsFromJSON()`.")
