"""The scopes and claims of OpenID Connect, from the rows of this package.

Source: OpenID Connect Core 1.0 sections 5.1 and 5.4. The service knows no postal address and tells
no phone number, so those claims are absent. Clients may ask for the scopes, and a package or the site may provide the claims.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _

from auth_core.oauth.registries import OFFLINE_ACCESS, OPENID, Claim, Scope, claims, scopes
from auth_core.people.lookup import EMAIL_PART, part_of
from auth_core.users import UserLike

_SCOPES = {
    OPENID: Scope(sentence=_("Know who you are"), claims=("sub",), is_open=True),
    "profile": Scope(
        sentence=_("See your name, username, language and time zone"),
        claims=("name", "preferred_username", "locale", "zoneinfo"),
        is_open=True,
    ),
    "email": Scope(sentence=_("See your email address"), claims=("email", "email_verified"), is_open=True),
    "address": Scope(sentence=_("See your postal address"), claims=("address",), is_open=True),
    "phone": Scope(sentence=_("See your phone number"), claims=("phone_number", "phone_number_verified"), is_open=True),
    OFFLINE_ACCESS: Scope(sentence=_("Keep this access after you sign out"), is_open=True),
}


def register() -> None:
    """Register what this package provides."""
    for name, scope in _SCOPES.items():
        scopes.register(name, scope)
    for name, value in _CLAIMS.items():
        claims.register(name, Claim(value=value))


def _email(user: UserLike) -> dict[str, Any]:
    address: dict[str, Any] = part_of(user, EMAIL_PART, {"address": "", "verified": False})
    return address


def _address(user: UserLike) -> str | None:
    return _email(user)["address"] or None


def _is_verified(user: UserLike) -> bool | None:
    email = _email(user)
    return bool(email["verified"]) if email["address"] else None


def _name(user: Any) -> str | None:
    return getattr(user, "display_name", "") or getattr(user, "get_full_name", str)() or None


def _username(user: Any) -> str | None:
    return getattr(user, "username", None) or None


def _locale(user: Any) -> str | None:
    return getattr(user, "locale", "") or None


def _zone(user: Any) -> str | None:
    return getattr(user, "timezone", "") or None


_CLAIMS = {
    "email": _address,
    "email_verified": _is_verified,
    "name": _name,
    "preferred_username": _username,
    "locale": _locale,
    "zoneinfo": _zone,
}
