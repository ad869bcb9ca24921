"""The base of all providers, and the options that a site sets for one."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar
from urllib.parse import urlsplit

from auth_core.crypto.signature_algorithms import ALGORITHMS
from auth_core.federation.protocol.attempts import Attempt
from auth_core.federation.protocol.exchange import Registration, Tokens, authorization_address, exchange
from auth_core.federation.providers.identity import ProviderIdentity


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderOptions:
    """The options of a provider, with the names that they have in ``PROVIDERS``.

    Args:
        kind: What it is: a short name, or the dotted path of a class.
        client_id: Our id at the provider.
        client_secret: Our secret there.
        name: What people read. Empty: that of its kind.
        enabled: Whether it signs people in.
        order: Smaller numbers come first.
        trusted_domains: Domains of addresses that it is trusted to have verified. ``*``: all. Only such an address finds an
            account or creates one.
        sign_up: Whether it may create accounts, if the sign-up policy of the site admits the address.
        algorithms: The algorithms that its ID tokens may be signed with. ``HS256`` alone, for one that signs with our secret.
        scopes: What we ask for. Empty: what its kind needs.
        auth_method: How we authenticate there. Empty: as its kind does.
        trusted_acr: Values of `acr` that are trusted to mean two factors.
        trusted_amr: Values of `amr` that are trusted to mean two factors.
        issuer: The issuer of an OpenID Connect provider.
        tenant: The tenant of Microsoft Entra, as its id.
        team_id: The team at Apple.
        key_id: The id of the key at Apple.
        private_key: The key at Apple, in PEM.
        base_url: The address of a GitHub of your own.
        api_url: The address of its API.
        authorization_endpoint: Of a provider by description.
        token_endpoint: Of a provider by description.
        userinfo_endpoint: Of a provider by description.
        subject_claim: Where its userinfo has the account.
    """

    kind: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    name: str = ""
    enabled: bool = True
    order: int = 100
    trusted_domains: tuple[str, ...] = ()
    sign_up: bool = True
    algorithms: tuple[str, ...] = ALGORITHMS
    scopes: tuple[str, ...] = ()
    auth_method: str = ""
    trusted_acr: tuple[str, ...] = ()
    trusted_amr: tuple[str, ...] = ()
    issuer: str = ""
    tenant: str = ""
    team_id: str = ""
    key_id: str = ""
    private_key: str = field(default="", repr=False)
    base_url: str = ""
    api_url: str = ""
    authorization_endpoint: str = ""
    token_endpoint: str = ""
    userinfo_endpoint: str = ""
    subject_claim: str = "sub"


#: The names of the options.
OPTIONS = frozenset(each.name for each in fields(ProviderOptions))

#: Options that are lists.
LISTS = frozenset({"trusted_domains", "algorithms", "scopes", "trusted_acr", "trusted_amr"})


class Provider(ABC):
    """An identity provider. A subclass says where it is, and what its answers mean.

    Args:
        slug: Its name in the settings and in addresses.
        options: Its options.
    """

    #: What people read.
    title: ClassVar[str]
    scopes: ClassVar[tuple[str, ...]] = ()
    #: How this site authenticates at the token endpoint.
    auth_method: ClassVar[str] = "client_secret_post"
    #: Options that it cannot do without.
    required: ClassVar[tuple[str, ...]] = ("client_id", "client_secret")
    #: Further parameters of the authorization request.
    parameters: ClassVar[Mapping[str, str]] = {}

    def __init__(self, slug: str, options: ProviderOptions) -> None:
        self.slug = slug
        self.options = options

    @property
    def name(self) -> str:
        """What people read."""
        return self.options.name or self.title

    @property
    def is_active(self) -> bool:
        """Whether it signs people in."""
        return self.options.enabled

    @property
    @abstractmethod
    def issuer(self) -> str:
        """Who its accounts belong to: a part of the key of every connection."""

    @abstractmethod
    def authorization_endpoint(self) -> str:
        """Return where people are sent.

        Raises:
            ProviderFailed: the provider must be asked, and does not answer.
        """

    @abstractmethod
    def token_endpoint(self) -> str:
        """Return where codes are exchanged.

        Raises:
            ProviderFailed: the provider must be asked, and does not answer.
        """

    @abstractmethod
    def identify(self, tokens: Tokens, attempt: Attempt) -> ProviderIdentity:
        """Return whom *tokens* are about.

        Raises:
            AnswerRefused: they prove nothing.
            ProviderFailed: the provider must be asked, and does not answer.
        """

    def needs_issuer_in_answer(self) -> bool:
        """Return whether its answers name the issuer (RFC 9207). One that is there is compared in any case."""
        return False

    def named_in_answer(self) -> str:
        """Return what answers name as the issuer."""
        return self.issuer

    def secret(self) -> str:
        """Return the secret for the token endpoint."""
        return self.options.client_secret

    def vouches_for(self, identity: ProviderIdentity) -> bool:
        """Return whether the address in *identity* counts as verified by someone who may say so."""
        domain = identity.email.rpartition("@")[2].lower()
        is_trusted = "*" in self.options.trusted_domains or domain in self.options.trusted_domains
        return identity.is_email_verified and is_trusted

    def proved_two_factors(self, identity: ProviderIdentity) -> bool:
        """Return whether the site trusts what the provider says about its login to mean two factors. By default nothing is."""
        return identity.acr in self.options.trusted_acr or not set(self.options.trusted_amr).isdisjoint(identity.amr)

    def form_targets(self) -> list[str]:
        """Return the origins that a form may lead to, for the Content-Security-Policy of pages with its button.

        A page must not wait for a provider, so what only the provider knows is left out.
        """
        return [origin_of(self.authorization_endpoint())]

    def begin(self, attempt: Attempt, redirect_uri: str) -> str:
        """Return the address that the person is sent to.

        Raises:
            ProviderFailed: see `authorization_endpoint`.
        """
        extra = {**self.parameters, **self.request_parameters(attempt)}
        return authorization_address(self._registration(redirect_uri), self.authorization_endpoint(), attempt, extra)

    def request_parameters(self, attempt: Attempt) -> dict[str, str]:
        """Return further parameters of one authorization request."""
        return {}

    def redeem(self, code: str, attempt: Attempt, redirect_uri: str) -> Tokens:
        """Exchange a code for tokens.

        Raises:
            AnswerRefused, ProviderFailed: see `exchange`.
        """
        return exchange(self._registration(redirect_uri), self.token_endpoint(), code=code, attempt=attempt)

    def problems(self) -> list[str]:
        """Return what is wrong with the options, one clause for each."""
        return [f"{name} is missing" for name in self.required if not getattr(self.options, name)]

    def _registration(self, redirect_uri: str) -> Registration:
        return Registration(
            provider=self.slug,
            client_id=self.options.client_id,
            client_secret=self.secret(),
            auth_method=self.options.auth_method or self.auth_method,
            redirect_uri=redirect_uri,
            scopes=self.options.scopes or self.scopes,
        )


def origin_of(address: str) -> str:
    """Return the scheme and the host of *address*."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def text_options(values: Mapping[str, Any]) -> ProviderOptions:
    """Return the options in *values*, whose names and types were checked."""
    options: dict[str, Any] = {name: tuple(value) if name in LISTS else value for name, value in values.items()}
    return ProviderOptions(**options)
