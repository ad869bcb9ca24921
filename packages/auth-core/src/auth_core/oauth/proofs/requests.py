"""The DPoP proof of an HTTP request: read, compared with the nonce of this site, and made ready to be spent."""

from dataclasses import dataclass
from typing import Self

from django.http import HttpRequest
from django.utils import timezone

from auth_core.oauth.conf import oauth
from auth_core.oauth.errors import InvalidDPoPProof, UseDPoPNonce
from auth_core.oauth.proofs.dpop import InvalidProof, read_proof
from auth_core.oauth.proofs.nonces import current_nonce, is_current
from auth_core.oauth.proofs.one_time import OneTime


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


@dataclass(frozen=True, slots=True)
class PresentedProof:
    """The ``DPoP`` header of a request, as it came.

    Args:
        text: Empty: there is none.
        method: The method of the request.
        address: The address of the request, as clients know it. The Host header decides nothing in it.
    """

    text: str = ""
    method: str = ""
    address: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        """Return that of *request*."""
        text = request.META.get("HTTP_DPOP", "")
        return cls(text, request.method or "", f"{oauth.issuer}{request.path_info}") if text else cls()

    def sender(self, *, access_token: str = "") -> Sender:
        """Return who sent the request. Nothing is spent.

        Args:
            access_token: The token that the request presents. The proof must name it.

        Raises:
            InvalidDPoPProof: the proof is not one for this request.
            UseDPoPNonce: it has no current nonce.
        """
        if not self.text:
            return ANYONE
        now, age = timezone.now().timestamp(), oauth.DPOP_PROOF_LIFETIME
        try:
            proof = read_proof(
                self.text, method=self.method, address=self.address, now=now, age=age, access_token=access_token
            )
        except InvalidProof as problem:
            raise InvalidDPoPProof(str(problem)) from problem
        if (proof.nonce or oauth.DPOP_NONCE_REQUIRED) and not is_current(proof.nonce):
            raise UseDPoPNonce(current_nonce())
        ends_at = proof.issued_at + age.total_seconds()
        return Sender(proof.thumbprint, OneTime.proof(thumbprint=proof.thumbprint, jti=proof.jti, ends_at=ends_at))
