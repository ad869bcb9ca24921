"""An access token that was verified, and who acts with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedToken:
    """An access token for this resource server, valid now.

    Args:
        issuer: Who issued it.
        claims: Its claims, or what introspection says.
        scopes: What it may be used for.
        user: Its person, if the provider is in this site. ``None``: it is elsewhere, or the application acts for itself.
    """

    issuer: str
    claims: Mapping[str, Any]
    scopes: tuple[str, ...]
    user: Any | None = None

    @property
    def subject(self) -> str:
        """Whom the token is about, unique at its issuer."""
        return str(self.claims["sub"])

    @property
    def application(self) -> str:
        """The client id of the application that uses it. Empty: the issuer does not say."""
        return str(self.claims.get("client_id") or self.claims.get("azp") or "")

    @property
    def is_bound(self) -> bool:
        """Whether it is bound to a key, which the request has proved."""
        return self.claims.get("cnf") is not None

    @property
    def is_of_application(self) -> bool:
        """Whether the application acts for itself, and not for a person (RFC 9068 section 2.2)."""
        return self.subject == self.application


class TokenPrincipal:
    """Who acts, for a site that has no row of them. It has what code expects of ``request.user``, and no permission.

    Args:
        token: The token of the request.
    """

    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False

    def __init__(self, token: VerifiedToken) -> None:
        self.token = token

    def __str__(self) -> str:
        return self.get_username()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenPrincipal) and self.pk == other.pk

    def __hash__(self) -> int:
        return hash(self.pk)

    @property
    def pk(self) -> str:
        """The issuer and the subject: a subject alone is not unique. Throttles of DRF count by it."""
        return f"{self.token.issuer}#{self.token.subject}"

    @property
    def id(self) -> str:
        """The same as `pk`."""
        return self.pk

    def get_username(self) -> str:
        """Return the subject."""
        return self.token.subject

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Return that it has no permission of this site. Its rights are the scopes of the token."""
        return False

    def has_perms(self, perm_list: object, obj: object = None) -> bool:
        """Return that it has no permission of this site."""
        return False

    def has_module_perms(self, package: str) -> bool:
        """Return that it has no permission of this site."""
        return False
