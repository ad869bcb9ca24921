"""The settings of this package: ``AUTH_MFA = {...}``."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings

from auth_core.conf import core
from auth_core.messages.links import site_name
from auth_core.options import Option, PackageSettings

#: What we plug into a login.
STEP = "auth_mfa.login.SecondFactor"


class MfaSettings(PackageSettings):
    """What a host may say in ``AUTH_MFA``."""

    setting = "AUTH_MFA"

    TOTP_ISSUER = Option("", doc="Whom authenticator apps say that a code is for; empty: the name of the site.")
    TOTP_TOLERANCE = Option(
        1, unit="time steps", doc="Clock drift to forgive on either side; 0 meets ASVS 6.5.5 to the letter."
    )
    ENROLMENT_LIFETIME = Option(timedelta(minutes=30), doc="How long a begun enrolment may stay unconfirmed.")
    PROOF_MAX_AGE = Option(
        timedelta(minutes=5), doc="How fresh the proof must be with which a factor is added or removed (ASVS 7.5.1)."
    )
    MAX_FACTORS = Option(10, unit="factors", doc="How many factors of one kind a person may have.")
    MAX_FAILURES = Option(
        100,
        unit="guesses",
        doc="Wrong guesses in a row after which a factor answers no more (SP 800-63B-4 section 3.2.2).",
    )

    METHODS = Option[Sequence[str]](
        ("totp", "sms_code", "email_code", "passkey", "security_key", "recovery_code"),
        doc="Which second factors people may have here; texts need a backend as well (`AUTH_CORE['SMS_BACKEND']`).",
    )
    REQUIRED_OF = Option[Sequence[str]](
        (),
        doc="Who must have a second factor: 'everyone', 'staff', 'superusers', 'group:<name>', or a fact with a value,"
        " such as 'roles:auditor'.",
    )
    COUNTED_METHODS = Option[Sequence[str]](
        ("totp", "sms_code", "email_code", "passkey", "security_key"),
        doc="Which kinds count for whoever must have a second factor.",
    )
    REQUIRED_SINCE = Option[datetime | None](None, doc="When `REQUIRED_OF` began to hold; aware. Empty: always.")
    GRACE_PERIOD = Option(
        timedelta(0), doc="How long after that, or after joining, whoever has no factor still gets in without one."
    )
    RP_ID = Option("", doc="The domain that passkeys are bound to; empty: the host of `PUBLIC_URL`.")
    ORIGINS = Option[Sequence[str]]((), doc="Origins whose passkeys are taken; empty: that of `PUBLIC_URL`.")
    TOP_ORIGINS = Option[Sequence[str]](
        (), doc="Origins whose pages may hold ours in a frame while a passkey is used; empty: none may."
    )
    PASSKEY_LOGIN_VERIFICATION = Option(
        "preferred",
        doc="Whether a login by passkey alone needs its user verified: 'required', or 'preferred' (aal1 without)."
        " A passkey that once verified its user has to do so in both cases.",
    )
    SMS_COUNTRIES = Option[Sequence[str]](
        (), doc="Countries (ISO 3166-1 alpha-2) whose numbers get texts; empty: all. Premium numbers never do."
    )
    SMS_BREAKER = Option[tuple[int, float, timedelta]](
        (30, 0.1, timedelta(hours=1)),
        doc="After so many texts to a prefix in a day of which less than this share was used, none go there for so long.",
    )

    @property
    def rp_id(self) -> str:
        """The domain that passkeys are bound to."""
        return self.RP_ID or urlsplit(core.PUBLIC_URL).hostname or "localhost"

    @property
    def origins(self) -> list[str]:
        """The origins whose passkeys are taken."""
        if self.ORIGINS:
            return list(self.ORIGINS)
        site = urlsplit(core.PUBLIC_URL)
        return [f"{site.scheme}://{site.netloc}"]

    @property
    def issuer(self) -> str:
        """Whom authenticator apps say that a code is for."""
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
    """Return the host's own ``LOGIN_URL``: an address, or the name of a route."""
    return str(settings.LOGIN_URL)


def site_landing_url() -> str:
    """Return the host's own ``LOGIN_REDIRECT_URL``: an address, or the name of a route."""
    return str(settings.LOGIN_REDIRECT_URL)
