"""The access token that a request presents, with its proof. Userinfo and the API ask here, so both refuse the same.

Source: RFC 6750 section 2, RFC 9449 section 7.
"""

from dataclasses import replace

from django.http import HttpRequest

from auth_core.oauth.errors import InvalidDPoPProof, InvalidToken, OAuthError, ProofRefused
from auth_core.oauth.proofs.one_time import spend_all
from auth_core.oauth.proofs.requests import presented_proof, sender_of
from auth_core.oauth.tokens.active_tokens import ActiveToken, find_active_token
from auth_core.oauth_resource.errors import BEARER, DPOP
from auth_core.oauth_resource.proofs.nonces import current_nonce
from auth_core.oauth_resource.tokens.claims import check_binding

_SCHEMES = {BEARER.lower(): BEARER, DPOP.lower(): DPOP}


def scheme_of(text: str) -> str:
    """Return `BEARER` or `DPOP`, whatever the case, or an empty text for another scheme (RFC 9110 section 11.1)."""
    return _SCHEMES.get(text.lower(), "")


def find_presented_token(request: HttpRequest, scheme: str, text: str) -> ActiveToken:
    """Return the active token *text* that *request* presents under *scheme*.

    A token that is bound to a key is never accepted as Bearer, whoever sends it, and a token that is bound to none never under
    DPoP. The proof is read before the token is looked for, and spent after all else is right.

    Raises:
        InvalidToken: it is not active, or not to be presented like this.
        ProofRefused: the proof is missing or wrong, was used before, or needs a nonce.
    """
    if scheme == BEARER:
        bearer = find_active_token(text)
        if bearer is None:
            raise InvalidToken
        check_binding("", bearer.claims)
        return bearer
    try:
        sender = sender_of(presented_proof(request), access_token=text)
        if sender.proof is None:
            raise InvalidDPoPProof
        token = find_active_token(text)
        if token is None:
            raise InvalidToken(scheme=DPOP)
        check_binding(sender.thumbprint, token.claims)
        spend_all([sender.proof])
    except InvalidToken:
        raise
    except OAuthError as problem:
        raise ProofRefused(problem) from problem
    return replace(token, answer_headers={"DPoP-Nonce": current_nonce()})
