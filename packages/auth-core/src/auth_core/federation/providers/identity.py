"""What a provider says about a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Longest text of a claim that is read, in characters.
_LONGEST = 320


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderIdentity:
    """An account at a provider.

    Args:
        issuer: Who says so.
        subject: The account, unique at its issuer and never given to another person.
        email: The address that the provider states. Empty: none.
        is_email_verified: Whether the provider has verified that the person reads mail to it.
        name: What the person is called. For display alone.
        acr: The level that the provider states, in its own words.
        amr: The methods that it states.
    """

    issuer: str
    subject: str
    email: str = ""
    is_email_verified: bool = False
    name: str = ""
    acr: str = ""
    amr: Sequence[str] = ()

    @property
    def label(self) -> str:
        """What people recognise the account by."""
        return self.email or self.name


def text_in(claims: Mapping[str, Any], name: str) -> str:
    """Return a claim that is a printable text of reasonable length. Empty: it is none."""
    value = claims.get(name)
    return value if isinstance(value, str) and len(value) <= _LONGEST and value.isprintable() else ""


def identity_in(claims: Mapping[str, Any], *, issuer: str) -> ProviderIdentity:
    """Return the account in the standard claims. `email_verified` counts only as the boolean (OpenID Connect Core 5.1)."""
    amr = claims.get("amr")
    return ProviderIdentity(
        issuer=issuer,
        subject=str(claims["sub"]),
        email=text_in(claims, "email"),
        is_email_verified=claims.get("email_verified") is True,
        name=text_in(claims, "name"),
        acr=text_in(claims, "acr"),
        amr=tuple(value for value in amr if isinstance(value, str)) if isinstance(amr, list) else (),
    )
