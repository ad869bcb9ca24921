"""Settings of each ``AUTH_PROFILE``: `default` is ASVS Level 2, `high` is Level 3."""

from typing import Any

#: No codes sent by message, nothing that can be typed into a phishing page, and user verification for every
#: passkey.
_HIGH = {
    "METHODS": ("passkey", "security_key", "recovery_code"),
    "COUNTED_METHODS": ("passkey", "security_key"),
    "REQUIRED_OF": ("everyone",),
    "PASSKEY_LOGIN_VERIFICATION": "required",
}


def second_factors(profile: str, *, required_of: list[str], sms_countries: list[str]) -> dict[str, Any]:
    """Return ``AUTH_MFA`` of a profile.

    Args:
        profile: ``default`` or ``high``. With ``high`` every user needs a phishing-resistant factor.
        required_of: Which users need a second factor with ``default``.
        sms_countries: Countries to which SMS may be sent.
    """
    if profile == "high":
        return dict(_HIGH)
    return {"REQUIRED_OF": tuple(required_of), "SMS_COUNTRIES": tuple(sms_countries)}


def context_change(profile: str) -> dict[str, Any]:
    """Return the ``AUTH_SESSIONS`` of a profile. With ``high`` a change of network also requires a new proof."""
    return {"CONTEXT_CHANGES": ("country", "user_agent", "network")} if profile == "high" else {}


def provider(profile: str) -> dict[str, Any]:
    """Return the ``AUTH_OAUTH`` of a profile. ``high`` is the FAPI 2.0 Security Profile, for every application."""
    return {"PROFILE": profile} if profile == "high" else {}


def administration(assurance: str) -> dict[str, Any]:
    """Return ``AUTH_CORE["ADMINISTRATION"]``: the recent proof that administration requires. ``none`` means none."""
    return {} if assurance == "none" else {"assurance": assurance}


def required_of(configured: list[str], admin_assurance: str) -> list[str]:
    """Return which users need a second factor: those of the setting, and administrators who must prove one.

    Users add it during their first login, after a code to their mailbox. In a session opened by a password
    alone, a thief of the password could add a factor (decision record 0017).
    """
    return configured if admin_assurance == "none" else list(dict.fromkeys([*configured, "staff"]))
