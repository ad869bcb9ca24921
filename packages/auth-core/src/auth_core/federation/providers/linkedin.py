"""LinkedIn. Its ID tokens repeat no nonce, so its userinfo says who the person is.

Source: https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/sign-in-with-linkedin-v2
"""

from auth_core.federation.providers.oauth2 import OAuth2Provider


class LinkedInProvider(OAuth2Provider):
    """LinkedIn."""

    title = "LinkedIn"
    scopes = ("openid", "profile", "email")
    required = ("client_id", "client_secret")

    def authorization_endpoint(self) -> str:
        """Return where people are sent."""
        return self.options.authorization_endpoint or "https://www.linkedin.com/oauth/v2/authorization"

    def token_endpoint(self) -> str:
        """Return where codes are exchanged."""
        return self.options.token_endpoint or "https://www.linkedin.com/oauth/v2/accessToken"

    def userinfo_endpoint(self) -> str:
        """Return where the person is described."""
        return self.options.userinfo_endpoint or "https://api.linkedin.com/v2/userinfo"
