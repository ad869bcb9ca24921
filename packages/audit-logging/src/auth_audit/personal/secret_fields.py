"""Secret fields. The trail records that they changed, but never their values."""

from django.db.models import BinaryField, Model

from auth_core.observability.redaction import SECRET_NAMES
from auth_core.registries import encrypted_fields

#: Replaces a secret value.
HIDDEN = "[hidden]"

#: Words in the names of secret fields. A field that only sounds secret is hidden as well, which costs little.
_WORDS = frozenset({
    "password", "passwd", "passphrase", "secret", "token", "credential", "digest", "hash", "salt", "seed", "otp", "pin",
    "cookie", "private", "signature", "mac", "code", "codes", "key", "apikey",
})  # fmt: skip


def is_secret(model: type[Model], name: str) -> bool:
    """Return whether the field *name* of *model* is secret."""
    if name.lower() in SECRET_NAMES or _WORDS.intersection(name.lower().split("_")) or "session_data" in name.lower():
        return True
    if encrypted_fields.get(f"{model._meta.label}.{name}") is not None:
        return True
    # Binary fields hold keys, digests or ciphertext, which are not readable anyway.
    return isinstance(model._meta.get_field(name), BinaryField)
