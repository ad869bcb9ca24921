"""Any OpenID Connect provider, by the metadata at its issuer. What binds an answer: the state, PKCE and the nonce."""

from collections.abc import Mapping
from typing import Any, ClassVar

from auth_core.crypto.signature_algorithms import ALGORITHMS
from auth_core.federation.protocol.attempts import Attempt
from auth_core.federation.protocol.exchange import Tokens
from auth_core.federation.protocol.id_tokens import SHARED, Expected, verify_id_token
from auth_core.federation.protocol.metadata import Metadata, metadata_of
from auth_core.federation.providers.base import Provider, origin_of
from auth_core.federation.providers.identity import ProviderIdentity, identity_in
from auth_core.oauth_resource.issuers.issuer import is_safe_url


class OpenIDProvider(Provider):
    """A provider with an issuer and ID tokens. A subclass names the issuer and reads what differs in the claims."""

    title = "OpenID Connect"
    scopes: ClassVar[tuple[str, ...]] = ("openid", "email", "profile")
    auth_method = "client_secret_basic"
    required: ClassVar[tuple[str, ...]] = (*Provider.required, "issuer")

    #: The issuer of the kind. The option `issuer` comes first.
    default_issuer: ClassVar[str] = ""

    @property
    def issuer(self) -> str:
        """The issuer, exactly as in `iss`."""
        return self.options.issuer or self.default_issuer

    def metadata(self) -> Metadata:
        """Return its metadata.

        Raises:
            ProviderFailed: there is none that can be used.
        """
        return metadata_of(self.slug, self.issuer)

    def form_targets(self) -> list[str]:
        """Return the origin of the issuer."""
        return [origin_of(self.issuer)]

    def authorization_endpoint(self) -> str:
        """Return the address in the metadata."""
        return self.metadata().address("authorization_endpoint")

    def token_endpoint(self) -> str:
        """Return the address in the metadata."""
        return self.metadata().address("token_endpoint")

    def needs_issuer_in_answer(self) -> bool:
        """Return whether the metadata says that answers name the issuer (RFC 9207 section 3)."""
        return self.metadata().members.get("authorization_response_iss_parameter_supported") is True

    def request_parameters(self, attempt: Attempt) -> dict[str, str]:
        """Return the nonce."""
        return {"nonce": attempt.nonce}

    def identify(self, tokens: Tokens, attempt: Attempt) -> ProviderIdentity:
        """Return the account in the ID token."""
        expected = Expected(
            client_id=self.options.client_id,
            client_secret=self.options.client_secret,
            algorithms=self.options.algorithms,
            nonce=attempt.nonce,
            access_token=tokens.access_token,
        )
        return self.identity_of(verify_id_token(tokens.id_token, self.metadata(), expected))

    def identity_of(self, claims: Mapping[str, Any]) -> ProviderIdentity:
        """Return the account in the claims of a verified ID token."""
        return identity_in(claims, issuer=self.issuer)

    def problems(self) -> list[str]:
        """Return what is wrong with the options."""
        problems = super().problems()
        if self.issuer and not is_safe_url(self.issuer):
            problems.append("issuer is no https URL without query and fragment")
        if unknown := sorted(set(self.options.algorithms) - {*ALGORITHMS, SHARED}):
            problems.append(f"unknown algorithms: {', '.join(unknown)}")
        if SHARED in self.options.algorithms and len(self.options.algorithms) > 1:
            problems.append(f"{SHARED} stands alone")
        return problems
