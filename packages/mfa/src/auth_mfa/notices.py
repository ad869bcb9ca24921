"""Security notices by mail, in addition to those for added and removed factors."""

from auth_core.messages.security_notices import notices
from auth_mfa.events import MfaEvent


def connect() -> None:
    """Register the notices."""
    notices.register(MfaEvent.RECOVERY_CODE_USED.value, "recovery_code_used")
    notices.register(MfaEvent.FACTORS_RESET.value, "factors_reset")
    notices.register(MfaEvent.FACTOR_CLONED.value, "factor_copied")
    notices.register(MfaEvent.FACTOR_DISABLED.value, "factor_disabled")
