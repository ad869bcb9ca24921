"""The metadata of an issuer, and where its keys are."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from auth_core.oauth_resource.conf import resource
from auth_core.oauth_resource.issuers.issuer import Issuer
from auth_core.oauth_resource.keys.documents import DocumentFailed, document_in, fetch_answer
from auth_core.oauth_resource.keys.key_cache import KeyTimes

_CLIENT_ERRORS = range(400, 500)

#: How long an issuer that failed is not asked again.
_RETRY_AFTER = timedelta(seconds=10)


class IssuerKeySource:
    """Where the keys of one issuer are: where its options say, or else its metadata.

    Args:
        issuer: The issuer.
    """

    def __init__(self, issuer: Issuer) -> None:
        self._issuer = issuer
        self._address = issuer.jwks_uri

    @property
    def name(self) -> str:
        """The issuer, for the log."""
        return self._issuer.url

    @property
    def times(self) -> KeyTimes:
        """How long its keys are used, as the settings say."""
        return KeyTimes(
            lifetime=resource.KEYS_LIFETIME,
            in_outage=resource.KEYS_LIFETIME_IN_OUTAGE,
            cooldown=resource.KEYS_COOLDOWN,
            retry_after=_RETRY_AFTER,
        )

    def address(self) -> str:
        """Return the address of its keys.

        Raises:
            DocumentFailed: its metadata does not say.
        """
        if not self._address:
            self._address = endpoint_in(discover(self._issuer), "jwks_uri")
        return self._address

    def forget_address(self) -> None:
        """Read the metadata again at the next attempt, because the address may have changed."""
        self._address = self._issuer.jwks_uri


def discover(issuer: Issuer) -> Mapping[str, Any]:
    """Return the metadata of *issuer*. One that names another issuer is refused.

    Raises:
        DocumentFailed: there is none that can be used.

    Source: RFC 8414 section 3, OpenID Connect Discovery section 4.
    """
    answer = None
    for url in metadata_urls(issuer.url):
        answer = fetch_answer(url)
        if answer.status not in _CLIENT_ERRORS:
            break
    if answer is None:
        raise DocumentFailed("it has no metadata")
    members = document_in(answer).members
    if members.get("issuer") != issuer.url:
        raise DocumentFailed("its metadata names another issuer")
    return members


def metadata_urls(issuer: str) -> list[str]:
    """Return where the metadata of *issuer* may be: at the inserted path, then at the appended one."""
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return [
        f"{origin}/.well-known/oauth-authorization-server{path}",
        f"{origin}{path}/.well-known/openid-configuration",
    ]


def endpoint_in(members: Mapping[str, Any], name: str) -> str:
    """Return the address *name* in metadata.

    Raises:
        DocumentFailed: it is missing.
    """
    url = members.get(name)
    if not isinstance(url, str) or not url:
        raise DocumentFailed(f"its metadata has no {name}")
    return url
