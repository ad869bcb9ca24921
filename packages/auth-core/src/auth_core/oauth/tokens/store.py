"""The tokens of this provider, for resource servers in the same site."""

from auth_core.oauth.conf import oauth
from auth_core.oauth.keys.key_set import KeysUnusable
from auth_core.oauth.proofs.one_time import OneTime, spend_all
from auth_core.oauth.tokens.active_tokens import find_active_token, is_opaque
from auth_core.oauth_resource.errors import Unavailable
from auth_core.oauth_resource.registries import StoredToken


class OwnTokens:
    """The `TokenStore` of this app. It asks the tables at each request, so what was revoked is refused at the next one."""

    @property
    def issuer(self) -> str:
        """The issuer of this provider."""
        return oauth.issuer

    def recognises(self, text: str) -> bool:
        """Return whether *text* looks like an opaque token of this provider."""
        return is_opaque(text)

    def find(self, text: str) -> StoredToken | None:
        """Return the access token *text* if it is active now, or ``None``. A JWT takes one query.

        Raises:
            Unavailable: the keys cannot be loaded.
        """
        try:
            token = find_active_token(text)
        except KeysUnusable as problem:
            raise Unavailable from problem
        if token is None:
            return None
        user = None if token.authorization is None else token.authorization.user
        return StoredToken(claims=token.claims, user=user)

    def spend_proof(self, *, thumbprint: str, jti: str, ends_at: float) -> None:
        """Spend the proof with this id. One statement.

        Raises:
            InvalidDPoPProof: it was used before.
        """
        spend_all([OneTime.proof(thumbprint=thumbprint, jti=jti, ends_at=ends_at)])
