"""Bodies of requests, and the filters of lists."""

from rest_framework import serializers

from auth_core.api.bodies import Body, TextField
from auth_core.contracts import Transport


class NamedBody(Body):
    """``POST mfa/totp/`` and ``mfa/email/``: the name of the new factor."""

    name = TextField(max_length=64, required=False, allow_blank=True)


class PhoneBody(NamedBody):
    """``POST mfa/sms/``."""

    number = TextField(max_length=32)


class CodeBody(Body):
    """``POST mfa/…/{id}/confirm/``."""

    code = TextField(max_length=12)


class NameBody(Body):
    """``PATCH mfa/factors/{id}/``."""

    name = TextField(max_length=64)


class FactorFilters(Body):
    """``GET users/second-factors/?user=``: the user's public ID."""

    user = serializers.UUIDField()


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
