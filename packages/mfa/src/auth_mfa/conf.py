"""The settings of this package: ``AUTH_MFA = {...}``."""

from datetime import timedelta

from auth_core.links import site_name
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

    @property
    def issuer(self) -> str:
        """Whom authenticator apps say that a code is for."""
        return self.TOTP_ISSUER or site_name()


mfa = MfaSettings()
