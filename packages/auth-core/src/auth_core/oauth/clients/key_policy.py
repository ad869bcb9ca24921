"""What an application may have as its keys and its profile. Every way to register or change one calls this function."""

import json
from collections.abc import Iterator

from django.utils.translation import gettext as _

from auth_core.errors import FieldError
from auth_core.oauth.clients.redirect_uris import is_web, why_not_allowed
from auth_core.oauth.conf import HIGH, oauth
from auth_core.oauth.models.application_policy import AuthMethod
from auth_core.oauth.proofs.client_keys import parse_keys

#: The longest key set, in characters, and the longest address.
_LONGEST_KEYS, _LONGEST_ADDRESS = 65_536, 512


def problems_of_keys(
    *, is_public: bool, auth_method: str = "", jwks: str = "", jwks_uri: str = "", profile: str = ""
) -> Iterator[FieldError]:
    """Yield what is wrong with these values, each under the name of its column.

    Args:
        is_public: Whether the application cannot keep a secret.
        auth_method: How it authenticates.
        jwks: Its key set, as JSON.
        jwks_uri: The address of its key set.
        profile: Empty: that of the site.
    """
    is_high = oauth.is_high or profile == HIGH
    if profile not in ("", HIGH):
        yield FieldError("profile", "invalid", _("Unknown profile."))
    if is_high and is_public:
        yield FieldError("profile", "invalid", _("The profile high is for applications that can keep a key."))
    elif is_high and auth_method != AuthMethod.PRIVATE_KEY:
        yield FieldError(
            "auth_method", "invalid", _("With the profile high an application authenticates with its key.")
        )
    if auth_method == AuthMethod.PRIVATE_KEY and is_public:
        yield FieldError("auth_method", "invalid", _("A public application cannot keep a key."))
    elif auth_method == AuthMethod.PRIVATE_KEY and bool(jwks) == bool(jwks_uri):
        yield FieldError("jwks", "invalid", _("Enter either the public keys or their address."))
    if jwks and (len(jwks) > _LONGEST_KEYS or _has_private_member(jwks) or not parse_keys(jwks)):
        yield FieldError(
            "jwks", "invalid", _("Enter a JSON Web Key Set with public keys: EC on P-256, Ed25519 or RSA.")
        )
    if jwks_uri and (len(jwks_uri) > _LONGEST_ADDRESS or not is_web(jwks_uri) or why_not_allowed(jwks_uri)):
        yield FieldError("jwks_uri", "invalid", _("Enter an https address."))


def _has_private_member(jwks: str) -> bool:
    """Return whether a key of a set is private. Its owner must learn that it has left their house."""
    try:
        keys = json.loads(jwks)["keys"]
        return any({"d", "k"} & key.keys() for key in keys)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return True
