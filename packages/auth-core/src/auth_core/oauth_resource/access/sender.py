"""Who sends a token: its bearer, or the holder of a key that proves it.

Source: RFC 9449 sections 7 and 9.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.http import HttpRequest

from auth_core.oauth_resource.conf import resource
from auth_core.oauth_resource.errors import BEARER, DPOP, InvalidDPoPProof, ProofRefused, UseDPoPNonce
from auth_core.oauth_resource.proofs.dpop import Proof
from auth_core.oauth_resource.proofs.headers import PresentedProof, ProofRules
from auth_core.oauth_resource.proofs.nonces import current_nonce
from auth_core.oauth_resource.registries import token_store


@dataclass(frozen=True, slots=True)
class TokenSender:
    """Who sends a token.

    Args:
        scheme: The scheme under which it was sent.
        proof: The proof of the key. ``None``: the token was sent as Bearer.
    """

    scheme: str = BEARER
    proof: Proof | None = None

    @property
    def thumbprint(self) -> str:
        """Of the key. Empty: no key."""
        return "" if self.proof is None else self.proof.thumbprint

    def spend_proof(self) -> None:
        """Accept the proof no more, if the provider of this site has a store for its id. Otherwise its nonce expires.

        Raises:
            ProofRefused: it was used before.
        """
        store = token_store()
        if self.proof is None or store is None:
            return
        ends_at = self.proof.issued_at + resource.DPOP_PROOF_LIFETIME.total_seconds()
        with proof_refusals():
            store.spend_proof(thumbprint=self.proof.thumbprint, jti=self.proof.jti, ends_at=ends_at)


def sender_of(request: HttpRequest, scheme: str, text: str) -> TokenSender:
    """Return who sends the token *text* under *scheme*. The proof is read before the token is looked at.

    Raises:
        ProofRefused: the proof is missing, wrong, or has no current nonce.
    """
    if scheme != DPOP:
        return TokenSender()
    presented = PresentedProof.of(request, base=_origin(), path=request.path)
    with proof_refusals():
        return TokenSender(DPOP, presented.proof(_rules(), access_token=text))


@contextmanager
def proof_refusals() -> Iterator[None]:
    """Turn what is wrong with a proof into the refusal of a request with a token.

    Raises:
        ProofRefused: something is.
    """
    try:
        yield
    except (InvalidDPoPProof, UseDPoPNonce) as problem:
        raise ProofRefused(problem) from problem


def nonce_headers(request: HttpRequest) -> dict[str, str]:
    """Return the header with the nonce for the next proof. Empty if *request* has no proof (section 8.2)."""
    return {"DPoP-Nonce": current_nonce()} if "HTTP_DPOP" in request.META else {}


def schemes() -> tuple[str, ...]:
    """Return the schemes under which this site accepts a token."""
    return (DPOP,) if resource.REQUIRE_DPOP else (BEARER, DPOP)


def _rules() -> ProofRules:
    return ProofRules(
        lifetime=resource.DPOP_PROOF_LIFETIME,
        nonce_lifetime=resource.DPOP_NONCE_LIFETIME,
        # Without a store nothing else limits how often a proof is sent.
        is_nonce_required=resource.DPOP_NONCE_REQUIRED or token_store() is None,
    )


def _origin() -> str:
    """Return scheme, host and port of this resource server. The Host header decides nothing in it."""
    parts = urlsplit(resource.RESOURCE)
    return f"{parts.scheme}://{parts.netloc}"
