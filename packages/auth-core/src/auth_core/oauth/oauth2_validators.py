"""The validator for sites that use the decorators and permissions of django-oauth-toolkit: our tokens answer there, too."""

from collections.abc import Collection
from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator

from auth_core.oauth.clients.registry import find_by_public_id
from auth_core.oauth.conf import oauth
from auth_core.oauth.tokens.active_tokens import ActiveToken, find_active_token


class _Token:
    """An active token with the methods that permissions of django-oauth-toolkit call."""

    def __init__(self, token: ActiveToken) -> None:
        self.scope = " ".join(token.scopes)
        self.application = find_by_public_id(token.application_id)
        self.user = None if token.authorization is None else token.authorization.user

    def is_expired(self) -> bool:
        """Return ``False``. An expired token is not active."""
        return False

    def allow_scopes(self, scopes: Collection[str] | None) -> bool:
        """Return whether it has all *scopes*."""
        return set(scopes or ()) <= set(self.scope.split())

    def is_valid(self, scopes: Collection[str] | None = None) -> bool:
        """Return whether it has all *scopes*."""
        return self.allow_scopes(scopes)


class Validator(OAuth2Validator):  # type: ignore[misc]  # django-oauth-toolkit has no types
    """Answers whether a token opens a view. It issues nothing: no endpoint of django-oauth-toolkit is routed."""

    def validate_bearer_token(self, token: str, scopes: Collection[str], request: Any) -> bool:
        """Return whether *token* is active here and has *scopes*, and put its person on *request*.

        The views of django-oauth-toolkit ask for no proof, so a token that is bound to a key opens none of them.
        """
        active = find_active_token(token) if token else None
        if active is None or active.thumbprint or oauth.issuer not in active.audience:
            return False
        request.access_token = _Token(active)
        if not request.access_token.is_valid(scopes):
            return False
        request.client, request.user = request.access_token.application, request.access_token.user
        request.scopes = list(scopes)
        return True
