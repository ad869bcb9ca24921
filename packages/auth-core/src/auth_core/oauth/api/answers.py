"""The answers about applications that people use: their shape, for the schema, and the function that fills it."""

from typing import Any

from rest_framework import serializers

from auth_core.api.answers import Shape
from auth_core.oauth.grants.people import Given


class GivenShape(Shape):
    """An application to which the person has given access."""

    id = serializers.UUIDField(help_text="Public id of the application.")
    name = serializers.CharField()
    client_uri = serializers.CharField(allow_blank=True)
    scopes = serializers.ListField(child=serializers.CharField())
    since = serializers.DateTimeField()
    used_at = serializers.DateTimeField(
        allow_null=True, help_text="The last login for it. Null: only a consent is left."
    )
    offline = serializers.BooleanField(help_text="Whether some of the access outlives the session.")


def given_answer(access: Given) -> dict[str, Any]:
    """Return the ``Given`` shape."""
    return {
        "id": str(access.id),
        "name": access.name,
        "client_uri": access.client_uri,
        "scopes": list(access.scopes),
        "since": access.since,
        "used_at": access.used_at,
        "offline": access.is_offline,
    }
