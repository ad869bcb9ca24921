"""System checks, each with an id and a remedy."""

from typing import Any

from django.core.checks import CheckMessage, Warning, register  # noqa: A004 - Django's name

from auth_core.conf import core
from auth_mfa.conf import STEP, mfa


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse keys of ``AUTH_MFA`` that nobody reads: a typo must not be a silent default."""
    return mfa.unknown_key_errors("auth_mfa.E001")


@register()
def check_step(**kwargs: Any) -> list[CheckMessage]:
    """Warn where factors can be added and no login asks for them: people would think that they are safe."""
    if STEP in core.LOGIN_STEPS:
        return []
    hint = f"Add {STEP!r} to AUTH_CORE['LOGIN_STEPS']."
    return [Warning("No login asks for second factors.", hint=hint, id="auth_mfa.W001")]
