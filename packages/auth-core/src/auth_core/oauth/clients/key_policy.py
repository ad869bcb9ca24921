"""What an application may have as its keys and its profile. Every way to register or change one calls this function."""

import json
from collections.abc import Iterator

from django.utils.translation import gettext as _

from auth_core.errors import FieldError
from auth_core.oauth.clients.application_values import ApplicationValues
from auth_core.oauth.clients.redirect_uris import is_web, why_not_allowed
from auth_core.oauth.conf import HIGH, oauth
from auth_core.oauth.models.application_policy import AuthMethod
from auth_core.oauth.proofs.client_keys import parse_keys
from auth_core.oauth_resource.keys.public_keys import PRIVATE_MEMBERS

#: The longest key set, in characters, and the longest address.
LONGEST_KEYS, _LONGEST_ADDRESS = 65_536, 512


def problems_of_keys(values: ApplicationValues) -> Iterator[FieldError]:
    """Yield what is wrong with the keys and the profile of an application, each under its name on the wire."""
    is_public, auth_method, profile = values["is_public"], values["auth_method"], values["profile"]
    jwks, jwks_uri = values["jwks"], values["jwks_uri"]
    is_high = oauth.is_high or profile == HIGH
    if profile not in ("", HIGH):
        yield FieldError("profile", "invalid", _("Unknown profile."))
    if is_high and is_public:
        yield FieldError("profile", "invalid", _("The profile high is for applications that can keep a key."))
    elif is_high and auth_method != AuthMethod.PRIVATE_KEY:
        yield FieldError(
            "auth_method", "invalid", _("With the profile high an application authenticates with its key.")
        )
    if auth_method == AuthMethod.PRIVATE_KEY and bool(jwks) == bool(jwks_uri):
        yield FieldError("jwks", "invalid", _("Enter either the public keys or their address."))
    if jwks and (len(jwks) > LONGEST_KEYS or _has_private_member(jwks) or not parse_keys(jwks)):
        yield FieldError(
            "jwks", "invalid", _("Enter a JSON Web Key Set with public keys: EC on P-256, Ed25519 or RSA.")
        )
    if jwks_uri and (len(jwks_uri) > _LONGEST_ADDRESS or not is_web(jwks_uri) or why_not_allowed(jwks_uri)):
        yield FieldError("jwks_uri", "invalid", _("Enter an https address."))


def _has_private_member(jwks: str) -> bool:
    """Return whether a key of a set is private. It is refused, so that its owner replaces it."""
    try:
        keys = json.loads(jwks)["keys"]
        return any(PRIVATE_MEMBERS & key.keys() for key in keys)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return True
