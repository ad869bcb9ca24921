"""What ``AUTH_PROFILE`` means for the settings: `default` is ASVS Level 2, `high` Level 3 (DESIGN section 7)."""

from typing import Any

#: No code that travels, nothing that can be typed into a stranger's page, a PIN or finger at every passkey.
_HIGH = {
    "METHODS": ("passkey", "security_key", "recovery_code"),
    "COUNTED_METHODS": ("passkey", "security_key"),
    "REQUIRED_OF": ("everyone",),
    "PASSKEY_LOGIN_VERIFICATION": "required",
}


def second_factors(profile: str, *, required_of: list[str], sms_countries: list[str]) -> dict[str, Any]:
    """Return ``AUTH_MFA`` of a profile.

    Args:
        profile: ``default`` or ``high``; under ``high`` everybody must have a phishing-resistant factor.
        required_of: Who must have a second factor under ``default``.
        sms_countries: Where texts may go.
    """
    if profile == "high":
        return dict(_HIGH)
    return {"REQUIRED_OF": tuple(required_of), "SMS_COUNTRIES": tuple(sms_countries)}


def context_change(profile: str) -> dict[str, Any]:
    """Return what of ``AUTH_SESSIONS`` a profile says: under ``high`` another network asks for a new proof, too."""
    return {"STRAYS": ("country", "user_agent", "network")} if profile == "high" else {}


def administration(assurance: str) -> dict[str, Any]:
    """Return ``AUTH_CORE["ADMINISTRATION"]``: what administrators must have proved lately; ``none`` asks nothing."""
    return {} if assurance == "none" else {"assurance": assurance}


def required_of(given: list[str], admin_assurance: str) -> list[str]:
    """Return who must have a second factor: whom the operator names, and whoever is to prove one as an administrator.

    They add it in their first login, after a code to their mailbox: in a session that a
    password alone has opened, whoever stole the password could add theirs (decision record 0017).
    """
    return given if admin_assurance == "none" else list(dict.fromkeys([*given, "staff"]))
