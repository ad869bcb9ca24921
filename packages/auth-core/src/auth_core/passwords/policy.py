"""The password policy.

Source: NIST SP 800-63B-4 section 3.1.1.2, ASVS 6.2.
"""

import unicodedata
from typing import Any, cast

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from auth_core.errors import FieldError, InvalidRequest
from auth_core.users import UserLike

MAX_CODE_POINTS = 128
MAX_BYTES = 1024


def normalise(password: str) -> str:
    """Return *password* in NFKC, because a device may send é as one code point or as two.

    A password of more than `MAX_BYTES` characters is returned unchanged. It is refused anyway, and sorting the marks of
    100,000 characters takes ten seconds.
    """
    return password if len(password) > MAX_BYTES else unicodedata.normalize("NFKC", password)


def check_shape(password: str, *, field: str = "password") -> None:
    """Refuse a text that cannot be a password, before anything is looked up or hashed.

    The length is checked before and after NFKC. One code point can become eighteen, and normalising a megabyte is an
    attack of its own (CVE-2023-46695).

    Raises:
        InvalidRequest: longer than 128 code points or 1,024 bytes, or not valid text.
    """
    if "\0" in password or not _is_encodable(password):
        raise InvalidRequest(FieldError(field, "invalid", _("This text has invalid characters.")))
    if _is_too_long(password) or _is_too_long(normalise(password)):
        params = {"max": MAX_CODE_POINTS}
        raise InvalidRequest(FieldError(field, "max_length", _("This password is too long."), params))


def validate_new(password: str, *, user: UserLike | None = None, field: str = "password") -> None:
    """Refuse a new password that is not allowed. The error lists every reason.

    Raises:
        InvalidRequest: too long, too short, common, or built around a word of the context.
    """
    check_shape(password, field=field)
    try:
        validate_password(normalise(password), user=cast("Any", user))
    except ValidationError as invalid:
        raise InvalidRequest(
            *(FieldError(field, error.code or "invalid", " ".join(error.messages)) for error in invalid.error_list)
        ) from invalid


def _is_encodable(password: str) -> bool:
    try:
        password.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_too_long(password: str) -> bool:
    return len(password) > MAX_CODE_POINTS or len(password.encode()) > MAX_BYTES
