"""Codes that people type: six ASCII digits. Digits of other scripts are refused."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from auth_core.errors import FieldError, InvalidRequest
from auth_mfa.oath import DIGITS


def code_in(answer: Mapping[str, Any], *, field: str = "answer") -> str:
    """Return the code in an answer, without the spaces that apps show in the middle.

    Raises:
        InvalidRequest: the code is missing or malformed, or there are other members. Nothing was compared.
    """
    refuse_others(answer, "code", field=field)
    code = answer.get("code")
    digits = code.replace(" ", "") if isinstance(code, str) and len(code) <= 2 * DIGITS else ""
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()):
        raise InvalidRequest(FieldError(f"{field}.code", "invalid", _("Enter the six-digit code."), {"digits": DIGITS}))
    return digits


def refuse_others(answer: Mapping[str, Any], *members: str, field: str) -> None:
    """Refuse an answer with other members than *members*.

    Raises:
        InvalidRequest: there are other members.
    """
    if unknown := set(answer) - set(members):
        names = (name for name in unknown if name.isidentifier() and name.isascii())
        raise InvalidRequest(
            *(FieldError(f"{field}.{name[:64]}", "unknown_field", _("Unknown field.")) for name in names)
        )
