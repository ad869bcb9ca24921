"""Bodies of requests, and the filters of lists."""

from rest_framework import serializers

from auth_core.api.bodies import Body, TextField, optional, value
from auth_core.contracts import Transport


class NamedBody(Body):
    """``POST mfa/totp/`` and ``mfa/email/``: the name of the new factor."""

    name = optional(TextField(max_length=64, required=False, allow_blank=True))


class PhoneBody(NamedBody):
    """``POST mfa/sms/``."""

    number = value(TextField(max_length=32))


class CodeBody(Body):
    """``POST mfa/…/{id}/confirm/``."""

    code = value(TextField(max_length=12))


class NameBody(Body):
    """``PATCH mfa/factors/{id}/``."""

    name = value(TextField(max_length=64))


class FactorFilters(Body):
    """``GET users/second-factors/?user=``: the user's public ID."""

    user = value(serializers.UUIDField())


class RegistrationBody(Body):
    """``POST mfa/passkeys/{id}/confirm/``. *credential* is what ``PublicKeyCredential.toJSON()`` returns."""

    credential = value(serializers.DictField())
    name = optional(TextField(max_length=64, required=False, allow_blank=True))


class PasskeyLoginBody(Body):
    """``POST mfa/passkeys/login/``."""

    transport = value(serializers.ChoiceField(choices=[transport.value for transport in Transport], default="cookie"))


class PasskeyAnswerBody(Body):
    """``POST mfa/passkeys/login/answer/``. *credential* is as above."""

    token = value(TextField(max_length=100))
    credential = value(serializers.DictField())
