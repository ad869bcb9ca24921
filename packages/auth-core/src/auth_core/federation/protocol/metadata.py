"""The metadata of OpenID Connect providers, kept in this process for an hour at most.

Source: OpenID Connect Discovery 1.0 sections 3 and 4.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from auth_core.federation.conf import federation
from auth_core.federation.protocol.transport import ProviderFailed, Transport
from auth_core.oauth_resource.issuers.discovery import IssuerKeySource
from auth_core.oauth_resource.issuers.issuer import Issuer, is_safe_url
from auth_core.oauth_resource.keys.key_cache import KeyCache


@dataclass(frozen=True, slots=True)
class Metadata:
    """What an issuer says about itself.

    Args:
        issuer: Exactly as in `iss`.
        members: The document.
        keys: Its keys, which are loaded when they are first asked for.
    """

    issuer: str
    members: Mapping[str, Any]
    keys: KeyCache

    def address(self, name: str) -> str:
        """Return the address *name*. People are sent to it, so it is a web address, encrypted outside of this machine.

        Raises:
            ProviderFailed: it is missing, or something else.
        """
        url = self.text(name)
        if not is_safe_url(url.partition("?")[0]):
            raise ProviderFailed(f"its metadata has no {name}")
        return url

    def text(self, name: str) -> str:
        """Return a text. Empty: it is missing, or no text."""
        value = self.members.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str] | None:
        """Return a list of texts, or ``None`` if there is none."""
        values = self.members.get(name)
        return [value for value in values if isinstance(value, str)] if isinstance(values, list) else None


@dataclass(slots=True)
class _Kept:
    metadata: Metadata
    until: float


_lock = threading.Lock()
_kept: dict[tuple[str, str], _Kept] = {}


def metadata_of(provider: str, issuer: str) -> Metadata:
    """Return the metadata of *issuer*, loaded at most once an hour. One that names another issuer is refused.

    Raises:
        ProviderFailed: there is none that can be used.
    """
    kept = _kept.get((provider, issuer))
    if kept is not None and monotonic() < kept.until:
        return kept.metadata
    members = Transport(provider).get(f"{issuer.rstrip('/')}/.well-known/openid-configuration").json()
    if not isinstance(members, dict) or members.get("issuer") != issuer:
        raise ProviderFailed("its metadata names another issuer")
    with _lock:
        former = _kept.get((provider, issuer))
        jwks_uri = members.get("jwks_uri")
        # The keys outlive the metadata, and so does the time at which an unknown key id may load them again.
        is_same = former is not None and former.metadata.text("jwks_uri") == jwks_uri
        keys = former.metadata.keys if former is not None and is_same else _keys(issuer, jwks_uri)
        metadata = Metadata(issuer, members, keys)
        _kept[provider, issuer] = _Kept(metadata, monotonic() + federation.METADATA_LIFETIME.total_seconds())
    return metadata


def forget_metadata() -> None:
    """Forget all metadata and keys of this process, for tests."""
    with _lock:
        _kept.clear()


def _keys(issuer: str, jwks_uri: Any) -> KeyCache:
    if not isinstance(jwks_uri, str) or not jwks_uri:
        raise ProviderFailed("its metadata has no jwks_uri")
    return KeyCache(IssuerKeySource(Issuer(url=issuer, jwks_uri=jwks_uri)))
