"""The issuers that ``AUTH_RESOURCE["ISSUERS"]`` names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import urlsplit

from auth_core.crypto.signature_algorithms import ALGORITHMS
from auth_core.oauth_resource.conf import resource
from auth_core.oauth_resource.registries import token_store

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An issuer, with the options of its entry in ``ISSUERS``, which have the same names.

    Args:
        url: Exactly as in `iss`.
        algorithms: Algorithms that its tokens may be signed with.
        token_type: The type in the header of its tokens. Empty: any, which a site chooses for an issuer that does not follow RFC 9068.
        audience: Values of `aud` that are accepted besides the URI of the resource server.
        scope_claim: The claim with the scopes.
        jwks_uri: Where its keys are. Empty: where its metadata says.
        client_id: With it each token is introspected. Empty: tokens are verified here alone.
        client_secret: The secret of that client.
        introspection_endpoint: Empty: where its metadata says.
    """

    url: str
    algorithms: tuple[str, ...] = ALGORITHMS
    token_type: str = "at+jwt"  # noqa: S105 - a media type
    audience: tuple[str, ...] = ()
    scope_claim: str = "scope"
    jwks_uri: str = ""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    introspection_endpoint: str = ""

    @property
    def is_introspecting(self) -> bool:
        """Whether the issuer is asked about each token."""
        return bool(self.client_id)

    @property
    def accepted_audience(self) -> tuple[str, ...]:
        """The values of `aud` that are accepted."""
        return (resource.RESOURCE, *self.audience)


#: The options of an issuer.
OPTIONS = frozenset(each.name for each in fields(Issuer)) - {"url"}

#: The last setting that was read, and what was made of it. A site has one.
_read: tuple[Mapping[str, Any], dict[str, Issuer]] = ({}, {})


def configured_issuers() -> Mapping[str, Issuer]:
    """Return the issuers by their URL. Without the setting, the provider of this site is the only one."""
    global _read  # noqa: PLW0603 - one setting of one site
    stated = resource.ISSUERS
    if not stated:
        store = token_store()
        return {} if store is None else {store.issuer: Issuer(url=store.issuer)}
    if _read[0] is not stated:
        _read = (stated, {url: _issuer(url, options) for url, options in stated.items()})
    return _read[1]


def problems() -> Iterator[str]:
    """Yield what is wrong with the setting, one sentence for each issuer and option."""
    if not resource.ISSUERS and token_store() is None:
        yield "no issuer is named, and there is no provider in this site"
    for url, options in resource.ISSUERS.items():
        yield from (f"{url!r}: {problem}" for problem in _problems(url, options))


def is_safe_url(url: str) -> bool:
    """Return whether *url* is an https URL without query and fragment. http is for this machine alone."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_encrypted = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
    return is_encrypted and bool(parts.hostname) and not parts.query and not parts.fragment


def _issuer(url: str, options: Mapping[str, Any]) -> Issuer:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in options.items()
    }
    return Issuer(url=url, **values)


def _problems(url: str, options: Mapping[str, Any]) -> Iterator[str]:
    if not is_safe_url(url):
        yield "it is not an https URL without query and fragment"
    if unknown := sorted(set(options) - OPTIONS):
        yield f"unknown options: {', '.join(unknown)}. Known: {', '.join(sorted(OPTIONS))}"
    for name in ("algorithms", "audience"):
        if not isinstance(options.get(name, ()), list | tuple):
            yield f"{name} is no list"
            return
    if unknown := sorted(set(options.get("algorithms", ())) - set(ALGORITHMS)):
        yield f"unknown algorithms: {', '.join(unknown)}. Known: {', '.join(ALGORITHMS)}"
    if bool(options.get("client_id")) != bool(options.get("client_secret")):
        yield "introspection needs client_id and client_secret"
    if options.get("introspection_endpoint") and not options.get("client_id"):
        yield "introspection needs client_id and client_secret"
