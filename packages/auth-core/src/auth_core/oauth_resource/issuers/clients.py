"""What this process keeps of each issuer."""

import threading
from dataclasses import dataclass

from auth_core.oauth_resource.issuers.discovery import IssuerKeySource
from auth_core.oauth_resource.issuers.introspection import Introspection
from auth_core.oauth_resource.issuers.issuer import Issuer
from auth_core.oauth_resource.keys.key_cache import KeyCache


@dataclass(frozen=True, slots=True)
class IssuerClient:
    """The keys of an issuer and its introspection endpoint."""

    keys: KeyCache
    introspection: Introspection


_lock = threading.Lock()
_clients: dict[Issuer, IssuerClient] = {}


def client_for(issuer: Issuer) -> IssuerClient:
    """Return what this process keeps of *issuer*."""
    client = _clients.get(issuer)
    if client is None:
        with _lock:
            client = _clients.setdefault(issuer, IssuerClient(KeyCache(IssuerKeySource(issuer)), Introspection(issuer)))
    return client


def forget_issuers() -> None:
    """Forget all keys and answers of this process."""
    with _lock:
        _clients.clear()
