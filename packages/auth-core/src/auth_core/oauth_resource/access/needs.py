"""What a view needs of a token: scopes, and how and when its person was authenticated.

Source: RFC 6750 section 3.1, RFC 9470.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from auth_core.oauth_resource.conf import resource
from auth_core.oauth_resource.errors import DPOP, InsufficientAuthentication, InsufficientScope, TokenRefusal
from auth_core.oauth_resource.metadata.document import OFFLINE_ACCESS
from auth_core.oauth_resource.tokens.access_token import VerifiedToken
from auth_core.oauth_resource.tokens.claims import refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a view needs.

    Args:
        scopes: All of them are needed.
        acr: The least value of `acr`. Empty: any.
        max_age: How long ago the person was authenticated at most. ``None``: any time.
        dpop: Whether the token must be bound to a key, even if `REQUIRE_DPOP` is off.
    """

    scopes: Sequence[str] = ()
    acr: str = ""
    max_age: timedelta | None = None
    dpop: bool = False

    @property
    def scope(self) -> str:
        """The scopes, as a challenge names them."""
        return " ".join(self.scopes)

    def check(self, token: VerifiedToken) -> None:
        """Check that *token* has what is needed.

        Raises:
            InvalidToken: it is not bound to a key.
            InsufficientScope: it lacks a scope.
            InsufficientAuthentication: the authentication of its person is too weak or too old.
        """
        try:
            self._check(token)
        except TokenRefusal as refusal:
            if token.is_bound:
                refusal.scheme = DPOP
            raise

    def _check(self, token: VerifiedToken) -> None:
        if (self.dpop or resource.REQUIRE_DPOP) and not token.is_bound:
            raise refused("it is not bound to a key", scheme=DPOP)
        if not set(self.scopes) <= set(token.scopes):
            raise InsufficientScope(self.scope)
        if not (_is_strong_enough(token.claims.get("acr"), self.acr) and self._is_recent(token)):
            seconds = None if self.max_age is None else int(self.max_age.total_seconds())
            raise InsufficientAuthentication(acr=self.acr, max_age=seconds)

    def _is_recent(self, token: VerifiedToken) -> bool:
        if self.max_age is None:
            return True
        moment = token.claims.get("auth_time")
        if not isinstance(moment, int | float) or isinstance(moment, bool):
            return False
        age = timezone.now().timestamp() - moment
        leeway = resource.LEEWAY.total_seconds()
        return -leeway <= age <= self.max_age.total_seconds() + leeway


def refuse_offline_access(scopes: Collection[str]) -> None:
    """Refuse a view that needs ``offline_access``: clients would ask for it because of the challenge.

    Raises:
        ValueError: *scopes* has it.
    """
    if OFFLINE_ACCESS in scopes:
        raise ValueError("offline_access is between the client and the issuer. No view needs it.")


def _is_strong_enough(acr: object, needed: str) -> bool:
    order = list(resource.ACR_VALUES)
    if not needed or acr == needed:
        return True
    return acr in order and needed in order and order.index(str(acr)) >= order.index(needed)
