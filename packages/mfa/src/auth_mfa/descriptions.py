"""Descriptions of second factors, shown beside the owner's name for them. Never a full number, address or key."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from auth_core.assurance.methods import Method
from auth_mfa.models import Factor

if TYPE_CHECKING:
    from auth_mfa.models import RecoveryCodeSet


def description_of(factor: Factor) -> str:
    """Return the kind of *factor* in words, with a hint of where its codes go."""
    return _DESCRIPTIONS[Method(factor.method)](factor)


def _sheet(factor: "RecoveryCodeSet") -> str:
    left: int = factor.left
    return ngettext("Recovery codes: %d left", "Recovery codes: %d left", left) % left


_DESCRIPTIONS: Mapping[Method, Callable[[Any], str]] = {
    Method.TOTP: lambda factor: _("Authenticator app"),
    Method.SMS_CODE: lambda factor: _("Text messages to %(to)s") % {"to": factor.hint},
    Method.EMAIL_CODE: lambda factor: _("Email codes to %(to)s") % {"to": factor.hint},
    Method.PASSKEY: lambda factor: _("Passkey"),
    Method.SECURITY_KEY: lambda factor: _("Security key"),
    Method.RECOVERY_CODE: _sheet,
}
