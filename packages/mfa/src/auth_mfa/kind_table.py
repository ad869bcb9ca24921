"""The kind of factor of each method."""

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

#: The kind that checks an answer to a login without a user, by the member of the answer.
NOBODYS_KINDS: Mapping[str, FactorKind] = {"code": _totp, "credential": _webauthn}
