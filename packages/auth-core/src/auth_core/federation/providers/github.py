"""GitHub. It has no ID token. Addresses come from its e-mail endpoint, and only those that it has verified.

Source: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps,
https://docs.github.com/en/rest/users/emails
"""

from dataclasses import replace
from typing import Any

from auth_core.federation.errors import AnswerRefused
from auth_core.federation.protocol.attempts import Attempt
from auth_core.federation.protocol.exchange import Tokens
from auth_core.federation.protocol.transport import Transport
from auth_core.federation.providers.identity import ProviderIdentity, text_in
from auth_core.federation.providers.oauth2 import OAuth2Provider, subject_in


class GitHubProvider(OAuth2Provider):
    """GitHub, or a GitHub Enterprise Server. The account is the number, which stays when the login changes."""

    title = "GitHub"
    scopes = ("read:user", "user:email")
    required = ("client_id", "client_secret")

    def authorization_endpoint(self) -> str:
        """Return where people are sent."""
        return f"{self._base}/login/oauth/authorize"

    def token_endpoint(self) -> str:
        """Return where codes are exchanged."""
        return f"{self._base}/login/oauth/access_token"

    def userinfo_endpoint(self) -> str:
        """Return where the person is described."""
        return f"{self._api}/user"

    def identify(self, tokens: Tokens, attempt: Attempt) -> ProviderIdentity:
        """Return the account and its primary address. The address in the profile is whatever the person typed."""
        members = self.userinfo(tokens)
        number = members.get("id")
        if not isinstance(number, int):
            raise AnswerRefused("sub")
        name = text_in(members, "name") or text_in(members, "login")
        identity = ProviderIdentity(issuer=self.issuer, subject=subject_in(members, "id"), name=name)
        address = self._verified_address(tokens)
        return replace(identity, email=address, is_email_verified=bool(address))

    def _verified_address(self, tokens: Tokens) -> str:
        rows = Transport(self.slug).get(f"{self._api}/user/emails", token=tokens.access_token).json()
        if not isinstance(rows, list):
            raise AnswerRefused("emails")
        return next((text_in(row, "email") for row in rows if _is_proved(row)), "")

    @property
    def _base(self) -> str:
        return self.options.base_url or "https://github.com"

    @property
    def _api(self) -> str:
        return self.options.api_url or "https://api.github.com"


def _is_proved(row: Any) -> bool:
    return isinstance(row, dict) and row.get("primary") is True and row.get("verified") is True
