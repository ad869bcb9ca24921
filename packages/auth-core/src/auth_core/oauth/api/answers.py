"""The answers about applications and resources: their shapes, for the schema, and the functions that fill them."""

from typing import Any

from rest_framework import serializers

from auth_core.api.answers import Shape
from auth_core.oauth.applications.resources import owner_of
from auth_core.oauth.clients.application_values import plain, values_of, wire_name
from auth_core.oauth.grants.people import Given
from auth_core.oauth.models import ApplicationPolicy, Resource


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


class ApplicationShape(Shape):
    """An application, as administrators manage it."""

    id = serializers.UUIDField(help_text="Public id.")
    client_id = serializers.CharField(help_text="The id that its requests send.")
    name = serializers.CharField(allow_blank=True)
    public = serializers.BooleanField(help_text="Whether it has no secret.")
    active = serializers.BooleanField()
    redirect_uris = serializers.ListField(child=serializers.CharField())
    post_logout_redirect_uris = serializers.ListField(child=serializers.CharField())
    allowed_origins = serializers.ListField(child=serializers.CharField())
    grants = serializers.ListField(child=serializers.CharField())
    scopes = serializers.ListField(child=serializers.CharField())
    first_party = serializers.BooleanField()
    service_account = serializers.BooleanField()
    auth_method = serializers.CharField(allow_blank=True)
    jwks = serializers.CharField(allow_blank=True, help_text="A JSON Web Key Set, as text.")
    jwks_uri = serializers.CharField(allow_blank=True)
    profile = serializers.CharField(allow_blank=True, help_text="Empty: that of the site.")
    require_par = serializers.BooleanField(help_text="Whether it must push its authorization requests.")
    require_dpop = serializers.BooleanField(help_text="Whether its tokens are bound to a key.")
    required_assurance = serializers.CharField(allow_blank=True)
    allowed_groups = serializers.ListField(child=serializers.CharField())
    token_format = serializers.CharField()
    access_token_lifetime = serializers.IntegerField(allow_null=True)
    refresh_token_lifetime = serializers.IntegerField(allow_null=True)
    rotates_refresh_tokens = serializers.BooleanField()
    id_token_algorithm = serializers.CharField(allow_blank=True)
    userinfo_algorithm = serializers.CharField(allow_blank=True)
    backchannel_logout_uri = serializers.CharField(allow_blank=True)
    backchannel_session_required = serializers.BooleanField()
    client_uri = serializers.CharField(allow_blank=True)
    logo_uri = serializers.CharField(allow_blank=True)
    policy_uri = serializers.CharField(allow_blank=True)
    tos_uri = serializers.CharField(allow_blank=True)
    previous_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until when the secret before is accepted as well."
    )
    created_at = serializers.DateTimeField()


class NewApplicationShape(ApplicationShape):
    """A new application with its secret, which is never shown again."""

    client_secret = serializers.CharField(
        required=False, help_text="Missing if the application is public or has a key."
    )


class SecretShape(Shape):
    """A new secret, which is never shown again."""

    client_secret = serializers.CharField()
    previous_secret_until = serializers.DateTimeField(allow_null=True)


class ResourceShape(Shape):
    """A resource: what tokens are for."""

    id = serializers.UUIDField()
    uri = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    owner = serializers.UUIDField(allow_null=True, help_text="The application that may introspect its tokens.")
    scopes = serializers.DictField(child=serializers.CharField())
    token_format = serializers.CharField(allow_blank=True)
    signing_algorithm = serializers.CharField()
    active = serializers.BooleanField()
    created_at = serializers.DateTimeField()


def application_answer(policy: ApplicationPolicy) -> dict[str, Any]:
    """Return the ``Application`` shape. It has no secret and no hash of one."""
    row: Any = policy.application
    return {
        "id": str(policy.pk),
        "client_id": row.client_id,
        **{wire_name(name): plain(value) for name, value in values_of(policy).items()},
        "previous_secret_until": policy.previous_secret_until,
        "created_at": policy.created_at,
    }


def resource_answer(resource: Resource) -> dict[str, Any]:
    """Return the ``Resource`` shape."""
    owner = owner_of(resource)
    return {
        "id": str(resource.pk),
        "uri": resource.uri,
        "name": resource.name,
        "owner": None if owner is None else str(owner.pk),
        "scopes": resource.scopes,
        "token_format": resource.token_format,
        "signing_algorithm": resource.signing_algorithm,
        "active": resource.is_active,
        "created_at": resource.created_at,
    }
