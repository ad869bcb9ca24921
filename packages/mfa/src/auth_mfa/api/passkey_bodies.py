"""The bodies and shapes of passkeys."""

from rest_framework import serializers

from auth_core.api.serializers import Body, TextField
from auth_core.api.shapes import Shape
from auth_core.contracts import Transport


class RegistrationBody(Body):
    """``POST mfa/passkeys/{id}/confirm/``. *credential* is what ``PublicKeyCredential.toJSON()`` returns."""

    credential = serializers.DictField()
    name = TextField(max_length=64, required=False, allow_blank=True)


class PasskeyLoginBody(Body):
    """``POST mfa/passkeys/login/``."""

    transport = serializers.ChoiceField(choices=[transport.value for transport in Transport], default="cookie")


class PasskeyAnswerBody(Body):
    """``POST mfa/passkeys/login/answer/``. *credential* is as above."""

    token = TextField(max_length=100)
    credential = serializers.DictField()


class RegistrationShape(Shape):
    """A begun registration."""

    id = serializers.UUIDField()
    options = serializers.DictField(help_text="For `PublicKeyCredential.parseCreationOptionsFromJSON()`.")


class PasskeyLoginShape(Shape):
    """A begun login. The answer names the user."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    options = serializers.DictField(help_text="For `PublicKeyCredential.parseRequestOptionsFromJSON()`.")
