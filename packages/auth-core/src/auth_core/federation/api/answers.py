"""The answers about connections: their shape, for the schema, and the function that fills it."""

from typing import Any

from rest_framework import serializers

from auth_core.federation.models import Connection
from auth_core.federation.providers.configuration import is_usable, name_of


class ConnectionShape(serializers.Serializer[Any]):
    """An account at a provider that signs me in."""

    id = serializers.UUIDField()
    provider = serializers.CharField(help_text="The name of the provider in its addresses.")
    name = serializers.CharField(help_text="What people read as its name.")
    account = serializers.CharField(allow_blank=True, help_text="What the provider last called the account.")
    signs_in = serializers.BooleanField(help_text="Whether it signs me in: it and its provider are enabled.")
    created_at = serializers.DateTimeField()
    used_at = serializers.DateTimeField(allow_null=True)


def connection_answer(row: Connection) -> dict[str, Any]:
    """Return the fields of `ConnectionShape`."""
    return {
        "id": row.pk,
        "provider": row.provider,
        "name": name_of(row.provider),
        "account": row.label,
        "signs_in": row.disabled_at is None and is_usable(row.provider),
        "created_at": row.created_at,
        "used_at": row.used_at,
    }
