"""The bodies of requests."""

from auth_core.api.serializers import Body, TextField


class TotpBody(Body):
    """``POST mfa/totp/``."""

    name = TextField(max_length=64, required=False, allow_blank=True)


class CodeBody(Body):
    """``POST mfa/totp/{id}/confirm/``."""

    code = TextField(max_length=12)


class NameBody(Body):
    """``PATCH mfa/factors/{id}/``."""

    name = TextField(max_length=64)
