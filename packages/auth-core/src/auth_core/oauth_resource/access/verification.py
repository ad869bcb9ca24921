"""Whether a token is valid for this resource server: by the provider in this site, by the keys of its issuer, or by introspection."""

from collections.abc import Mapping
from typing import Any

from auth_core.oauth_resource.errors import BEARER, DPOP
from auth_core.oauth_resource.issuers.clients import client_for
from auth_core.oauth_resource.issuers.issuer import Issuer, configured_issuers
from auth_core.oauth_resource.keys.key_cache import WouldWait
from auth_core.oauth_resource.registries import TokenStore, token_store
from auth_core.oauth_resource.tokens.access_token import VerifiedToken
from auth_core.oauth_resource.tokens.claims import (
    check_audience,
    check_binding,
    check_subject,
    check_times,
    refused,
    scopes_in,
)
from auth_core.oauth_resource.tokens.compact import CompactToken, read_compact


def verify(text: str, *, thumbprint: str = "", network: str = "", may_wait: bool = True) -> VerifiedToken:
    """Return the token *text* if it is valid here and now.

    A JWT of an issuer elsewhere is verified without another service or the database, once the keys are loaded.

    Args:
        thumbprint: Of the key that the request proves. Empty: the token was sent as Bearer.
        network: Where the request comes from. Unknown tokens are counted for it.
        may_wait: Whether this thread may wait for the database and for other services.

    Raises:
        InvalidToken: it is not.
        TooManyUnknownTokens: its issuer was asked about too many unknown ones from this network.
        Unavailable: that cannot be found out now.
        WouldWait: it cannot without waiting.
    """
    issuers, store = configured_issuers(), token_store()
    token = read_compact(text)
    issuer = _issuer_of(text, token, issuers, store)
    if store is not None and issuer.url == store.issuer:
        if not may_wait:
            raise WouldWait
        return _stored(text, issuer, store, thumbprint)
    client = client_for(issuer)
    if token is not None:
        # Before the issuer is asked, so that text that anyone made up asks it nothing.
        _check_signature(token, issuer, may_wait=may_wait)
        _check_claims(token.claims, issuer)
    claims: Mapping[str, Any] = {} if token is None else token.claims
    if not issuer.is_introspecting:
        check_binding(thumbprint, claims)
        return _verified(claims, issuer)
    members = client.introspection.ask(text, network=network, may_wait=may_wait)
    if members is None:
        raise refused("its issuer says that it is not active")
    if members.get("sub") is None:
        # Of an application that acts for itself some issuers only state the client id.
        members = {**members, "sub": members.get("client_id")}
    _check_claims(members, issuer, is_introspected=True)
    check_binding(thumbprint, claims, members)
    return _verified(members, issuer)


def _issuer_of(
    text: str, token: CompactToken | None, issuers: Mapping[str, Issuer], store: TokenStore | None
) -> Issuer:
    """Return the issuer that a token names. An opaque one is of the provider in this site, or of the one that is asked.

    Raises:
        InvalidToken: it is of no issuer that is accepted.
    """
    if token is not None:
        named = token.claims.get("iss")
        found = issuers.get(named) if isinstance(named, str) else None
    elif store is not None and store.recognises(text):
        found = issuers.get(store.issuer)
    else:
        # A token is shown to no issuer but its own. So there is one, or none.
        introspecting = [issuer for issuer in issuers.values() if issuer.is_introspecting]
        found = introspecting[0] if len(introspecting) == 1 else None
    if found is None:
        raise refused("it is of no issuer that is accepted here")
    return found


def _stored(text: str, issuer: Issuer, store: TokenStore, thumbprint: str) -> VerifiedToken:
    stored = store.find(text)
    if stored is None:
        raise refused("the provider of this site says that it is not active")
    check_audience(stored.claims, issuer.accepted_audience)
    check_binding(thumbprint, stored.claims)
    return _verified(stored.claims, issuer, user=stored.user)


def _check_signature(token: CompactToken, issuer: Issuer, *, may_wait: bool) -> None:
    algorithm, kid = token.algorithm, token.header.get("kid")
    if algorithm not in issuer.algorithms:
        raise refused("its algorithm is not accepted")
    if issuer.token_type and token.type != issuer.token_type.lower().removeprefix("application/"):
        raise refused("its type is not that of an access token")
    if kid is not None and not isinstance(kid, str):
        raise refused("its key id is no text")
    found = client_for(issuer).keys.candidates(kid or "", algorithm, may_wait=may_wait)
    # A token without an id needs an issuer with one such key.
    if len(found) != 1:
        raise refused("its key is unknown")
    if not found[0].verifies(token, algorithms=(algorithm,)):
        raise refused("its signature is wrong")


def _check_claims(claims: Mapping[str, Any], issuer: Issuer, *, is_introspected: bool = False) -> None:
    """Check claims, or the members of an introspection, which may leave out the issuer and the expiry (RFC 7662 section 2.2)."""
    if (claims.get("iss") or not is_introspected) and claims.get("iss") != issuer.url:
        raise refused("it is of another issuer")
    if is_introspected and str(claims.get("token_type", BEARER)).lower() not in (BEARER.lower(), DPOP.lower()):
        raise refused("it is of an unknown type")
    check_times(claims, is_expiry_required=not is_introspected)
    check_audience(claims, issuer.accepted_audience)
    check_subject(claims)


def _verified(claims: Mapping[str, Any], issuer: Issuer, *, user: Any | None = None) -> VerifiedToken:
    return VerifiedToken(issuer=issuer.url, claims=claims, scopes=scopes_in(claims, issuer.scope_claim), user=user)
