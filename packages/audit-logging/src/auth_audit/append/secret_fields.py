"""Fields whose values the trail never shows: that they were changed, it does."""

from django.db.models import BinaryField, Model

from auth_core.observability.redaction import SECRET_NAMES
from auth_core.registries import encrypted_fields

#: Stands in the place of a secret.
HIDDEN = "[hidden]"

#: Words that a secret's name is made of; a name that only sounds like one is hidden as well, which costs little.
_WORDS = frozenset({
    "password", "passwd", "passphrase", "secret", "token", "credential", "digest", "hash", "salt", "seed", "otp", "pin",
    "cookie", "private", "signature", "mac", "code", "codes", "key", "apikey",
})  # fmt: skip


def is_secret(model: type[Model], name: str) -> bool:
    """Say whether the field *name* of *model* holds what nobody may read."""
    if name.lower() in SECRET_NAMES or _WORDS.intersection(name.lower().split("_")) or "session_data" in name.lower():
        return True
    if encrypted_fields.get(f"{model._meta.label}.{name}") is not None:
        return True
    # What is kept in bytes is keys, digests or ciphertext, and no reader of the trail could read it.
    return isinstance(model._meta.get_field(name), BinaryField)
