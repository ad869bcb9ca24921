"""System checks, each with an id and a hint."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's name

from auth_core.assurance.methods import WEBAUTHN_METHODS, Method
from auth_core.conf import core
from auth_mfa import oath
from auth_mfa.conf import STEP, mfa
from auth_mfa.models import MODEL_OF
from auth_mfa.policy import is_offered, unknown_rules


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse unknown keys of ``AUTH_MFA``. A typo must not silently give the default."""
    return mfa.unknown_key_errors("auth_mfa.E001")


@register()
def check_step(**kwargs: Any) -> list[CheckMessage]:
    """Warn if factors can be added but no login asks for them. Users would feel safe without protection."""
    if STEP in core.LOGIN_STEPS:
        return []
    hint = f"Add {STEP!r} to AUTH_CORE['LOGIN_STEPS']."
    return [Warning("No login step asks for second factors.", hint=hint, id="auth_mfa.W001")]


@register()
def check_policy(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a policy that cannot be evaluated. It would apply to every user or to none."""
    errors: list[CheckMessage] = [
        Error(
            f"Unknown rule in AUTH_MFA['REQUIRED_OF']: {rule}.",
            hint="Use 'everyone', 'staff', 'superusers', 'group:<name>' or '<fact>:<value>' with a registered fact.",
            id="auth_mfa.E002",
        )
        for rule in unknown_rules()
    ]
    for setting in ("METHODS", "COUNTED_METHODS"):
        unknown = sorted(set(getattr(mfa, setting)) - {method.value for method in MODEL_OF})
        hint = f"Known methods: {', '.join(sorted(method.value for method in MODEL_OF))}."
        errors += [
            Error(f"Unknown method in AUTH_MFA[{setting!r}]: {name}.", hint=hint, id="auth_mfa.E003")
            for name in unknown
        ]
    if mfa.PASSKEY_LOGIN_VERIFICATION not in ("required", "preferred"):
        message = "AUTH_MFA['PASSKEY_LOGIN_VERIFICATION'] must be 'required' or 'preferred'."
        errors.append(Error(message, hint="'required' refuses passkeys without a PIN.", id="auth_mfa.E003"))
    return errors


@register()
def check_issuer(**kwargs: Any) -> list[CheckMessage]:
    """Warn if authenticator apps show another name for the site than its own."""
    shown = oath.shown_name(mfa.issuer, longest=oath.LONGEST_ISSUER)
    if shown == mfa.issuer or not is_offered(Method.TOTP):
        return []
    hint = (
        "Set AUTH_MFA['TOTP_ISSUER'] to a name without colons, control characters and repeated spaces, of at most"
        f" {oath.LONGEST_ISSUER} bytes."
    )
    return [
        Warning(
            f"Authenticator apps cannot show the issuer {mfa.issuer!r}. They show {shown!r}.",
            hint=hint,
            id="auth_mfa.W003",
        )
    ]


@register()
def check_passkey_origins(**kwargs: Any) -> list[CheckMessage]:
    """Warn of origins where browsers do not make or use passkeys (WebAuthn Level 3 section 5.1.2)."""
    if not any(is_offered(method) for method in WEBAUTHN_METHODS):
        return []
    hint = (
        "Serve the site over HTTPS, or on http://localhost during development. Set its address in"
        " AUTH_CORE['PUBLIC_URL'], or in AUTH_MFA['RP_ID'] and AUTH_MFA['ORIGINS']."
    )
    return [
        Warning(f"Passkeys for {mfa.rp_id!r} do not work at {origin!r}.", hint=hint, id="auth_mfa.W002")
        for origin in mfa.origins
        if not _can_have_passkeys(origin, mfa.rp_id)
    ]


def _can_have_passkeys(origin: str, rp_id: str) -> bool:
    """Return whether pages of *origin* may ask for credentials of *rp_id*, their own domain or a parent of it."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    is_below = host == rp_id or host.endswith(f".{rp_id}")
    is_secure = parts.scheme == "https" or host == "localhost" or host.endswith(".localhost")
    return is_below and is_secure and not _is_address(rp_id)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
