"""Which kind of factor each method is."""

from collections.abc import Mapping

from auth_core.assurance.methods import Method
from auth_mfa.kinds import FactorKind
from auth_mfa.messages.login import Message
from auth_mfa.recovery.login import Recovery
from auth_mfa.totp.login import Totp
from auth_mfa.webauthn.login import Webauthn

_totp = Totp()
_message = Message()
_webauthn = Webauthn()

KINDS: Mapping[Method, FactorKind] = {
    Method.TOTP: _totp,
    Method.SMS_CODE: _message,
    Method.EMAIL_CODE: _message,
    Method.RECOVERY_CODE: Recovery(),
    Method.PASSKEY: _webauthn,
    Method.SECURITY_KEY: _webauthn,
}

#: What a login of nobody is answered with, by the member that its answer has.
NOBODYS_KINDS: Mapping[str, FactorKind] = {"code": _totp, "credential": _webauthn}
