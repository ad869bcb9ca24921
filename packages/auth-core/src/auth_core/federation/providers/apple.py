"""Apple. It posts its answer, signs with ES256 or RS256, and our secret is a token that we sign.

Source: https://developer.apple.com/documentation/signinwithapplerestapi
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.utils import timezone
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from joserfc.jwt import encode

from auth_core.federation.providers.identity import ProviderIdentity
from auth_core.federation.providers.openid import OpenIDProvider

#: Lifetime of the token that is our secret. Apple allows six months.
_SECRET_LIFETIME = timedelta(minutes=5)


class AppleProvider(OpenIDProvider):
    """Sign in with Apple. It states the address always, and answers by a POST of its own page."""

    title = "Apple"
    default_issuer = "https://appleid.apple.com"
    scopes = ("name", "email")
    auth_method = "client_secret_post"
    required = ("client_id", "team_id", "key_id", "private_key")
    parameters = {"response_mode": "form_post"}

    def secret(self) -> str:
        """Return a token that says who we are, signed with the key that Apple issued."""
        now = timezone.now()
        claims = {
            "iss": self.options.team_id,
            "sub": self.options.client_id,
            "aud": self.default_issuer,
            "iat": int(now.timestamp()),
            "exp": int((now + _SECRET_LIFETIME).timestamp()),
        }
        key = ECKey.import_key(self.options.private_key)
        return encode({"alg": "ES256", "kid": self.options.key_id}, claims, key, algorithms=["ES256"])

    def identity_of(self, claims: Mapping[str, Any]) -> ProviderIdentity:
        """Return the account. Apple documents `email_verified` as a boolean or as the text "true"."""
        verified = claims.get("email_verified")
        return replace(super().identity_of(claims), is_email_verified=verified is True or verified == "true")

    def problems(self) -> list[str]:
        """Return what is wrong with the options."""
        problems = super().problems()
        try:
            ECKey.import_key(self.options.private_key)
        except (JoseError, ValueError):
            problems.append("private_key is no EC key in PEM")
        return problems
