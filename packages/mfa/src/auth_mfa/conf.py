"""The settings of this package: ``AUTH_MFA = {...}``."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings

from auth_core.conf import core
from auth_core.messages.links import site_name
from auth_core.options import Option, PackageSettings

#: The login step of this package.
STEP = "auth_mfa.login.SecondFactor"


class MfaSettings(PackageSettings):
    """The keys of ``AUTH_MFA``."""

    setting = "AUTH_MFA"

    TOTP_ISSUER = Option("", doc="The issuer that authenticator apps show. Empty: the name of the site.")
    TOTP_TOLERANCE = Option(
        1, unit="time steps", doc="Clock drift to allow on either side. 0 meets ASVS 6.5.5 exactly."
    )
    ENROLMENT_LIFETIME = Option(timedelta(minutes=30), doc="How long an enrolment may stay unconfirmed.")
    PROOF_MAX_AGE = Option(
        timedelta(minutes=5), doc="Maximum age of the proof that adding or removing a factor needs (ASVS 7.5.1)."
    )
    MAX_FACTORS = Option(10, unit="factors", doc="How many factors of one kind a user may have.")
    MAX_FAILURES = Option(
        100,
        unit="guesses",
        doc="Wrong guesses in a row after which a factor is disabled (SP 800-63B-4 section 3.2.2).",
    )

    METHODS = Option[Sequence[str]](
        ("totp", "sms_code", "email_code", "passkey", "security_key", "recovery_code"),
        doc="Which second factors users may have. Text messages need a backend as well (`AUTH_CORE['SMS_BACKEND']`).",
    )
    REQUIRED_OF = Option[Sequence[str]](
        (),
        doc="Who must have a second factor: 'everyone', 'staff', 'superusers', 'group:<name>', or a fact and its value,"
        " such as 'roles:auditor'.",
    )
    COUNTED_METHODS = Option[Sequence[str]](
        ("totp", "sms_code", "email_code", "passkey", "security_key"),
        doc="Which kinds satisfy the requirement to have a second factor.",
    )
    REQUIRED_SINCE = Option[datetime | None](
        None, doc="When `REQUIRED_OF` took effect, as an aware datetime. Empty: always."
    )
    GRACE_PERIOD = Option(
        timedelta(0), doc="How long after that, or after joining, a user may still sign in without a second factor."
    )
    RP_ID = Option("", doc="The domain that passkeys are bound to. Empty: the host of `PUBLIC_URL`.")
    ORIGINS = Option[Sequence[str]]((), doc="Origins whose passkeys are accepted. Empty: the origin of `PUBLIC_URL`.")
    TOP_ORIGINS = Option[Sequence[str]](
        (), doc="Origins whose pages may frame ours while a passkey is used. Empty: none."
    )
    PASSKEY_LOGIN_VERIFICATION = Option(
        "preferred",
        doc="Whether a login by passkey alone needs user verification: 'required', or 'preferred' (aal1 without it)."
        " A passkey that verified its user once must do so in both cases.",
    )
    SMS_COUNTRIES = Option[Sequence[str]](
        (), doc="Countries (ISO 3166-1 alpha-2) whose numbers get texts. Empty: all. Premium numbers never get any."
    )
    SMS_BREAKER = Option[tuple[int, float, timedelta]](
        (30, 0.1, timedelta(hours=1)),
        doc="Number of texts to a prefix in a day, minimum share of them that must be used, and pause. Below the share,"
        " no texts go to the prefix during the pause.",
    )

    @property
    def rp_id(self) -> str:
        """Return the domain that passkeys are bound to."""
        return self.RP_ID or urlsplit(core.PUBLIC_URL).hostname or "localhost"

    @property
    def origins(self) -> list[str]:
        """Return the origins whose passkeys are accepted."""
        if self.ORIGINS:
            return list(self.ORIGINS)
        site = urlsplit(core.PUBLIC_URL)
        return [f"{site.scheme}://{site.netloc}"]

    @property
    def issuer(self) -> str:
        """Return the issuer that authenticator apps show."""
        return self.TOTP_ISSUER or site_name()


mfa = MfaSettings()


def authentication_backends() -> Sequence[str]:
    """Return the host's own ``AUTHENTICATION_BACKENDS``."""
    backends: Sequence[str] = settings.AUTHENTICATION_BACKENDS
    return backends


def site_middleware() -> Sequence[str]:
    """Return the host's own ``MIDDLEWARE``."""
    names: Sequence[str] = settings.MIDDLEWARE
    return names


def site_login_url() -> str:
    """Return the host's own ``LOGIN_URL``, a URL or the name of a route."""
    return str(settings.LOGIN_URL)


def site_landing_url() -> str:
    """Return the host's own ``LOGIN_REDIRECT_URL``, a URL or the name of a route."""
    return str(settings.LOGIN_REDIRECT_URL)
