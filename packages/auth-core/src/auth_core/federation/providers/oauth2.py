"""Any OAuth 2 provider without ID tokens, by description.

What binds an answer: the state, which is bound to the browser, and PKCE, which binds the code to this sign-in. The account
comes from the provider's own endpoint, over TLS, for the token that was exchanged for that code.
"""

from typing import Any, ClassVar

from auth_core.federation.errors import AnswerRefused
from auth_core.federation.models.connection import LONGEST_SUBJECT
from auth_core.federation.protocol.attempts import Attempt
from auth_core.federation.protocol.exchange import Tokens
from auth_core.federation.protocol.transport import Transport
from auth_core.federation.providers.base import Provider, origin_of
from auth_core.federation.providers.identity import ProviderIdentity, identity_in
from auth_core.oauth_resource.issuers.issuer import is_safe_url

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")


class OAuth2Provider(Provider):
    """A provider whose userinfo says who the person is."""

    title = "OAuth 2"
    required: ClassVar[tuple[str, ...]] = (*Provider.required, *_ENDPOINTS)

    @property
    def issuer(self) -> str:
        """The origin of the token endpoint. There is no other name for who issues the accounts."""
        return origin_of(self.token_endpoint())

    def authorization_endpoint(self) -> str:
        """Return the address in the options."""
        return self.options.authorization_endpoint

    def token_endpoint(self) -> str:
        """Return the address in the options."""
        return self.options.token_endpoint

    def userinfo_endpoint(self) -> str:
        """Return the address in the options."""
        return self.options.userinfo_endpoint

    def identify(self, tokens: Tokens, attempt: Attempt) -> ProviderIdentity:
        """Return the account that userinfo names."""
        members = self.userinfo(tokens)
        subject = subject_in(members, self.options.subject_claim)
        return identity_in({**members, "sub": subject}, issuer=self.issuer)

    def userinfo(self, tokens: Tokens) -> dict[str, Any]:
        """Return what the provider says about the person.

        Raises:
            AnswerRefused: it is no object.
            ProviderFailed: it does not answer.
        """
        members = Transport(self.slug).get(self.userinfo_endpoint(), token=tokens.access_token).json()
        if not isinstance(members, dict):
            raise AnswerRefused("userinfo")
        return members

    def problems(self) -> list[str]:
        """Return what is wrong with the options."""
        addresses = {name: getattr(self, name)() for name in _ENDPOINTS}
        unsafe = [f"{name} is no https URL" for name, url in addresses.items() if url and not is_safe_url(url)]
        return [*super().problems(), *unsafe]


def subject_in(members: dict[str, Any], name: str) -> str:
    """Return the account, which is a text or a whole number.

    Raises:
        AnswerRefused: there is none.
    """
    value = members.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value or len(value) > LONGEST_SUBJECT or not value.isprintable():
        raise AnswerRefused("sub")
    return value
