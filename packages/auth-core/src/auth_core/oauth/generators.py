"""Ids and secrets of new applications, for django-oauth-toolkit."""

import secrets
import string

from auth_core.oauth.hashers import new_client_secret

_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 32


class ClientIdGenerator:
    """Ids of letters and digits. None looks like the id of a person, which is a UUID (RFC 9700 section 4.15)."""

    def hash(self) -> str:
        """Return a new id."""
        return "".join(secrets.choice(_ALPHABET) for _character in range(_LENGTH))


class ClientSecretGenerator:
    """Secrets as `auth_core.oauth.hashers` makes them."""

    def hash(self) -> str:
        """Return a new secret."""
        return new_client_secret()
