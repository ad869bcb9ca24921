"""What other apps publish for the resource side."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from auth_core.registries import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """An access token that a provider in this site issued, and that is active now.

    Args:
        claims: Its claims.
        user: Its person. ``None``: the application acts for itself.
    """

    claims: Mapping[str, Any]
    user: Any | None


class TokenStore(Protocol):
    """A provider in this site, whose tables say which token is active."""

    @property
    def issuer(self) -> str:
        """The issuer in its tokens."""

    def recognises(self, text: str) -> bool:
        """Return whether *text* looks like an opaque token of this provider. Makes no query."""

    def find(self, text: str) -> StoredToken | None:
        """Return the token *text* if it is active now, or ``None``.

        Raises:
            Unavailable: tokens cannot be verified now.
        """

    def spend_proof(self, *, thumbprint: str, jti: str, ends_at: float) -> None:
        """Accept the DPoP proof with this id no more, until *ends_at*, in Unix seconds.

        Raises:
            InvalidDPoPProof: it was used before.
        """


#: The provider in this site, if there is one. Its tokens are looked up at each request, so that what it revokes is refused at
#: the next one.
token_stores: Registry[TokenStore] = Registry("Token store")


def token_store() -> TokenStore | None:
    """Return the provider in this site, or ``None``."""
    return next(token_stores.values(), None)
