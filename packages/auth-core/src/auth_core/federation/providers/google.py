"""Google.

Source: https://developers.google.com/identity/openid-connect/openid-connect
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from auth_core.federation.providers.identity import ProviderIdentity
from auth_core.federation.providers.openid import OpenIDProvider


class GoogleProvider(OpenIDProvider):
    """Google and Google Workspace. Google decides about addresses of gmail.com alone, others need `trusted_domains`."""

    title = "Google"
    default_issuer = "https://accounts.google.com"
    required = ("client_id", "client_secret")
    auth_method = "client_secret_post"

    def vouches_for(self, identity: ProviderIdentity) -> bool:
        """Return whether Google is the mail provider of the address, or the site trusts it for the domain."""
        is_gmail = identity.email.lower().endswith("@gmail.com")
        return (identity.is_email_verified and is_gmail) or super().vouches_for(identity)

    def identity_of(self, claims: Mapping[str, Any]) -> ProviderIdentity:
        """Return the account. The levels and methods of Google are not documented, so they count for nothing."""
        return replace(super().identity_of(claims), acr="", amr=())
