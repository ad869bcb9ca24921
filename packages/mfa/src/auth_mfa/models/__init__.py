"""The models of this package."""

from collections.abc import Mapping

from auth_core.assurance.methods import WEBAUTHN_METHODS, Method
from auth_mfa.models.factor import Factor
from auth_mfa.models.factor_history import FactorHistory
from auth_mfa.models.message_factor import EmailFactor, PhoneFactor
from auth_mfa.models.recovery_code import RecoveryCode, RecoveryCodeSet
from auth_mfa.models.sent_code import SentCode
from auth_mfa.models.sms_prefix import SmsPrefix
from auth_mfa.models.totp_factor import TotpFactor
from auth_mfa.models.webauthn_challenge import WebauthnChallenge
from auth_mfa.models.webauthn_factor import WebauthnFactor

#: The model of the factors of each method.
MODEL_OF: Mapping[Method, type[Factor]] = {
    Method.TOTP: TotpFactor,
    **dict.fromkeys(WEBAUTHN_METHODS, WebauthnFactor),
    Method.SMS_CODE: PhoneFactor,
    Method.EMAIL_CODE: EmailFactor,
    Method.RECOVERY_CODE: RecoveryCodeSet,
}

__all__ = [
    "MODEL_OF",
    "EmailFactor",
    "Factor",
    "FactorHistory",
    "PhoneFactor",
    "RecoveryCode",
    "RecoveryCodeSet",
    "SentCode",
    "SmsPrefix",
    "TotpFactor",
    "WebauthnChallenge",
    "WebauthnFactor",
]
