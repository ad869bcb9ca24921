"""The hash of client secrets: fast, and keyed.

A password hash would cost 17 to 135 milliseconds at each request of a client. A generated secret has more than 128 bits, which
no one can guess, so a hash need not be slow. The key of the site makes a stolen table useless all the same.
"""

import hashlib
import hmac
import secrets
import string
from functools import lru_cache
from typing import Any

from django.contrib.auth.hashers import BasePasswordHasher

from auth_core.conf import core
from auth_core.crypto.encryption import KeysMissing, current_key_id, derive_key
from auth_core.crypto.secrets import same

#: What the column begins with, and the purpose of its key. Neither ever changes.
ALGORITHM = "auth_client_secret"
_PURPOSE = "auth_oauth.client_secret"

#: 62 characters: a client may encode its credentials for the header twice, or not at all, and they stay the same.
_ALPHABET = string.ascii_letters + string.digits
_LENGTH = 48


def new_client_secret() -> str:
    """Return a secret of 285 bits. It has letters and digits alone."""
    return "".join(secrets.choice(_ALPHABET) for _character in range(_LENGTH))


class ClientSecretHasher(BasePasswordHasher):
    """HMAC-SHA-256 under a field key. It stands last in ``PASSWORD_HASHERS``, so that no password ever uses it."""

    algorithm = ALGORITHM

    def salt(self) -> str:
        """Return the id of the current key, which is stored where other hashers have their salt."""
        return current_key_id()

    def encode(self, password: str, salt: str) -> str:
        """Return the stored form of a secret.

        Args:
            password: The secret.
            salt: The id of the field key.
        """
        return f"{ALGORITHM}${salt}${_digest(password, salt)}"

    def decode(self, encoded: str) -> dict[str, Any]:
        """Return the parts of the stored form."""
        algorithm, key_id, digest = encoded.split("$")
        return {"algorithm": algorithm, "salt": key_id, "hash": digest}

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether *password* is the secret. A hash whose key is gone matches nothing."""
        parts = encoded.split("$")
        if len(parts) != 3 or parts[0] != ALGORITHM:  # noqa: PLR2004 - algorithm, key id, digest
            return False
        try:
            return same(_digest(password, parts[1]), parts[2])
        except KeysMissing:
            return False

    def safe_summary(self, encoded: str) -> dict[Any, Any]:
        """Return what the admin shows."""
        return {"algorithm": ALGORITHM, "key": self.decode(encoded)["salt"]}

    def must_update(self, encoded: str) -> bool:
        """Return whether the hash is under a former key."""
        return bool(self.decode(encoded)["salt"] != current_key_id())

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Do nothing. Every secret takes the same time."""


def _digest(secret: str, key_id: str) -> str:
    encoded = core.FIELD_KEYS.get(key_id)
    if encoded is None:
        raise KeysMissing(f"There is no field key {key_id!r}.")
    return hmac.new(_key(encoded), secret.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=16)
def _key(encoded: str) -> bytes:
    return derive_key(_PURPOSE, encoded)
