"""Microsoft Entra, bound to one tenant.

Source: https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference,
https://learn.microsoft.com/en-us/entra/identity-platform/claims-validation
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from auth_core.federation.errors import AnswerRefused
from auth_core.federation.providers.identity import ProviderIdentity, text_in
from auth_core.federation.providers.openid import OpenIDProvider


class MicrosoftProvider(OpenIDProvider):
    """One tenant of Microsoft Entra. The account is `oid` in `tid`. An address in a token is whatever an administrator typed."""

    title = "Microsoft"
    required = ("client_id", "client_secret", "tenant")
    auth_method = "client_secret_post"

    @property
    def issuer(self) -> str:
        """The issuer of the tenant."""
        return self.options.issuer or f"https://login.microsoftonline.com/{self.options.tenant}/v2.0"

    def identity_of(self, claims: Mapping[str, Any]) -> ProviderIdentity:
        """Return the account, without any address: `email` and `upn` prove nothing."""
        tenant, account = text_in(claims, "tid"), text_in(claims, "oid")
        if tenant.lower() != self.options.tenant.lower():
            raise AnswerRefused("tid")
        if not account:
            raise AnswerRefused("oid")
        return ProviderIdentity(
            issuer=self.issuer, subject=f"{tenant.lower()}/{account}", name=text_in(claims, "preferred_username")
        )

    def problems(self) -> list[str]:
        """Return what is wrong with the options. `common` and `organizations` would let every tenant in."""
        problems = super().problems()
        try:
            UUID(self.options.tenant)
        except ValueError:
            problems.append("tenant is not the id of a tenant")
        return problems
