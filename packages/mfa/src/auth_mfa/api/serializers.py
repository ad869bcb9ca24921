"""The bodies of requests."""

from rest_framework import serializers

from auth_core.api.serializers import Body, TextField


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
