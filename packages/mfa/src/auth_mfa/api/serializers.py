"""The bodies of requests."""

from rest_framework import serializers

from auth_core.api.serializers import Body, TextField


class NamedBody(Body):
    """``POST mfa/totp/`` and ``mfa/email/``: what the factor is to be called."""

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
    """``GET users/second-factors/?user=``: whose, by the person's public id."""

    user = serializers.UUIDField()
