"""Codes that people type: six digits, in ASCII; other scripts have digits as well."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from auth_core.errors import FieldError, InvalidRequest
from auth_mfa.oath import DIGITS


def code_in(answer: Mapping[str, Any], *, field: str = "answer") -> str:
    """Return the code in an answer; spaces, which apps show in the middle, are left out.

    Raises:
        InvalidRequest: there is none, or something beside it; nothing was compared.
    """
    refuse_others(answer, "code", field=field)
    code = answer.get("code")
    digits = code.replace(" ", "") if isinstance(code, str) and len(code) <= 2 * DIGITS else ""
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        raise InvalidRequest(
            FieldError(f"{field}.code", "invalid", _("Enter the six digits of the code."), {"digits": DIGITS})
        )
    return digits


def refuse_others(answer: Mapping[str, Any], *known: str, field: str) -> None:
    """Refuse what stands beside the members that are known.

    Raises:
        InvalidRequest: something does.
    """
    if unknown := set(answer) - set(known):
        names = (name for name in unknown if name.isidentifier() and name.isascii())
        raise InvalidRequest(
            *(FieldError(f"{field}.{name[:64]}", "unknown_field", _("This field is not known.")) for name in names)
        )
