"""Bodies of the requests that manage applications and resources, and the filters of their lists."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.utils.translation import gettext as _
from rest_framework import serializers

from auth_core.api.bodies import Body, SecondsField, TextField, optional, value
from auth_core.errors import FieldError, InvalidRequest
from auth_core.oauth.applications.client_secrets import LONGEST_OVERLAP
from auth_core.oauth.applications.resources import LONGEST_SENTENCE, LONGEST_URI, MOST_SCOPES
from auth_core.oauth.clients.key_policy import LONGEST_KEYS
from auth_core.oauth.clients.registration import GRANTS, LONGEST_NAME, LONGEST_PAGE, MOST_MEMBERS
from auth_core.oauth.models import ApplicationPolicy
from auth_core.oauth.models.application_policy import AuthMethod, Profile, TokenFormat

#: The longest address, in characters. `redirect_uris` reads no longer one.
_LONGEST_ADDRESS = 2000

#: Values of a body that have another name in the functions that they are passed to.
_FLAGS = ("public", "active", "first_party", "service_account")


class TextsField(serializers.ListField):
    """Several texts. Left out: they do not change."""

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        super().__init__(
            **{"child": TextField(max_length=longest), "required": False, "max_length": MOST_MEMBERS, **kwargs}
        )


def _page() -> TextField:
    return TextField(max_length=LONGEST_PAGE, required=False, allow_blank=True)


def _choice(*choices: str, **kwargs: Any) -> serializers.ChoiceField:
    return serializers.ChoiceField(choices=list(choices), **{"required": False, "allow_blank": True, **kwargs})


class ApplicationSettingsBody(Body):
    """What the creation and the change of an application have in common."""

    redirect_uris: list[str] | None = optional(TextsField(longest=_LONGEST_ADDRESS))
    post_logout_redirect_uris: list[str] | None = optional(TextsField(longest=_LONGEST_ADDRESS))
    allowed_origins: list[str] | None = optional(TextsField(longest=_LONGEST_ADDRESS))
    grants: list[str] | None = optional(TextsField(longest=64, help_text=", ".join(GRANTS)))
    scopes: list[str] | None = optional(TextsField(longest=128))
    first_party = optional(serializers.BooleanField(required=False))
    service_account = optional(serializers.BooleanField(required=False))
    auth_method = optional(_choice(*AuthMethod.values))
    jwks = optional(
        TextField(max_length=LONGEST_KEYS, required=False, allow_blank=True, help_text="A JSON Web Key Set, as text.")
    )
    jwks_uri = optional(_page())
    profile = optional(_choice(*Profile.values))
    require_par = optional(serializers.BooleanField(required=False))
    require_dpop = optional(serializers.BooleanField(required=False))
    required_assurance = optional(
        TextField(max_length=16, required=False, allow_blank=True, help_text="aal1, aal2 or aal3. Empty: none.")
    )
    allowed_groups: list[str] | None = optional(TextsField(longest=150, help_text="Names of groups."))
    token_format = optional(_choice(*TokenFormat.values, allow_blank=False))
    access_token_lifetime = optional(
        SecondsField(required=False, allow_null=True, help_text="In seconds. Null: that of the site.")
    )
    refresh_token_lifetime = optional(
        SecondsField(required=False, allow_null=True, help_text="In seconds. Null: that of the site.")
    )
    rotates_refresh_tokens = optional(serializers.BooleanField(required=False))
    id_token_algorithm = optional(_choice("RS256", "ES256", "PS256", "EdDSA"))
    userinfo_algorithm = optional(
        TextField(max_length=8, required=False, allow_blank=True, help_text="As id_token_algorithm. Empty: not signed.")
    )
    backchannel_logout_uri = optional(_page())
    backchannel_session_required = optional(serializers.BooleanField(required=False))
    client_uri = optional(_page())
    logo_uri = optional(_page())
    policy_uri = optional(_page())
    tos_uri = optional(_page())

    def settings(self) -> dict[str, Any]:
        """Return what the request has, as the arguments of the function that it is for.

        Raises:
            InvalidRequest: a group is unknown.
        """
        values = dict(self.validated_data)
        for name in ("access_token_lifetime", "refresh_token_lifetime"):
            if values.get(name) is not None:
                values[name] = timedelta(seconds=values[name])
        if "allowed_groups" in values:
            values["allowed_groups"] = _groups(values["allowed_groups"])
        return {f"is_{name}" if name in _FLAGS else name: new for name, new in values.items()}


class ApplicationBody(ApplicationSettingsBody):
    """``POST applications/``."""

    name = value(TextField(max_length=LONGEST_NAME))
    public = optional(serializers.BooleanField(required=False, help_text="Whether it cannot keep a secret."))


class ApplicationChangeBody(ApplicationSettingsBody):
    """``PATCH applications/{id}/``. What is left out does not change. An application stays public or not for good."""

    name = optional(TextField(max_length=LONGEST_NAME, required=False))
    active = optional(
        serializers.BooleanField(required=False, help_text="False ends everything that people gave to it.")
    )


class ApplicationFilters(Body):
    """``GET applications/``."""

    client_id = optional(TextField(max_length=255, required=False))


class SecretBody(Body):
    """``POST applications/{id}/secret/``."""

    overlap = value(
        SecondsField(
            default=0,
            max_value=int(LONGEST_OVERLAP.total_seconds()),
            help_text="How long the secret before is accepted as well, in seconds. Default: it ends at once.",
        )
    )


class ResourceSettingsBody(Body):
    """What the creation and the change of a resource have in common."""

    name = optional(TextField(max_length=255, required=False, allow_blank=True))
    owner = optional(
        serializers.UUIDField(
            required=False, allow_null=True, help_text="The application that may introspect its tokens."
        )
    )
    scopes: dict[str, str] | None = optional(
        serializers.DictField(
            child=TextField(max_length=LONGEST_SENTENCE),
            required=False,
            help_text=f"Scopes, each with the sentence that people read. At most {MOST_SCOPES}.",
        )
    )
    token_format = optional(_choice(*TokenFormat.values))
    signing_algorithm = optional(_choice("ES256", "RS256", allow_blank=False))
    active = optional(serializers.BooleanField(required=False))

    def settings(self) -> dict[str, Any]:
        """Return what the request has, as the arguments of the function that it is for.

        Raises:
            InvalidRequest: the owner is unknown.
        """
        values = dict(self.validated_data)
        if values.get("owner") is not None:
            values["owner"] = _owner(values["owner"])
        return {f"is_{name}" if name in _FLAGS else name: new for name, new in values.items()}


class ResourceBody(ResourceSettingsBody):
    """``POST resources/``."""

    uri = value(TextField(max_length=LONGEST_URI))


class ResourceChangeBody(ResourceSettingsBody):
    """``PATCH resources/{id}/``. What is left out does not change. The URI of a resource never changes."""


def _groups(names: list[str]) -> list[Group]:
    """Return the groups with these names. They have no public id in this package."""
    groups = list(Group.objects.filter(name__in=names))
    if {group.name for group in groups} != set(names):
        raise InvalidRequest(FieldError("allowed_groups", "unknown", _("A group does not exist.")))
    return groups


def _owner(application_id: UUID) -> ApplicationPolicy:
    policy = ApplicationPolicy.objects.select_related("application").filter(pk=application_id).first()
    if policy is None:
        raise InvalidRequest(FieldError("owner", "unknown", _("This application does not exist.")))
    return policy
