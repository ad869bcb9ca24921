"""The sender of a request: the holder of the key of its DPoP proof, which is made ready to be spent."""

from dataclasses import dataclass

from django.http import HttpRequest

from auth_core.oauth.conf import oauth
from auth_core.oauth.proofs.one_time import OneTime
from auth_core.oauth_resource.proofs.headers import PresentedProof, ProofRules


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a request: the holder of a key, or anyone.

    Args:
        thumbprint: Of the key. Empty: no key.
        proof: The proof, to be spent.
    """

    thumbprint: str = ""
    proof: OneTime | None = None


#: A request without a proof.
ANYONE = Sender()


def presented_proof(request: HttpRequest) -> PresentedProof:
    """Return the ``DPoP`` header of *request*, with the address below that of the issuer."""
    return PresentedProof.of(request, base=oauth.issuer, path=request.path_info)


def sender_of(presented: PresentedProof, *, access_token: str = "") -> Sender:
    """Return who sent the request. Nothing is spent. Without a header it may be anyone.

    Args:
        access_token: The token that the request presents. The proof must name it.

    Raises:
        InvalidDPoPProof: the proof is not one for this request.
        UseDPoPNonce: it has no current nonce.
    """
    if not presented.text:
        return ANYONE
    lifetime = oauth.DPOP_PROOF_LIFETIME
    rules = ProofRules(
        lifetime=lifetime, nonce_lifetime=oauth.DPOP_NONCE_LIFETIME, is_nonce_required=oauth.DPOP_NONCE_REQUIRED
    )
    proof = presented.proof(rules, access_token=access_token)
    ends_at = proof.issued_at + lifetime.total_seconds()
    return Sender(proof.thumbprint, OneTime.proof(thumbprint=proof.thumbprint, jti=proof.jti, ends_at=ends_at))
