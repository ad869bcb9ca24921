"""The DPoP proof of an HTTP request: read, and compared with the nonce of this site. It is not spent here."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from django.http import HttpRequest
from django.utils import timezone
from django.utils.encoding import escape_uri_path

from auth_core.oauth_resource.errors import InvalidDPoPProof, UseDPoPNonce
from auth_core.oauth_resource.proofs.dpop import InvalidProof, Proof, read_proof
from auth_core.oauth_resource.proofs.nonces import current_nonce, is_current


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRules:
    """What a proof must be.

    Args:
        lifetime: How old it may be.
        nonce_lifetime: How old its nonce may be.
        is_nonce_required: Whether it must have one. A nonce that it has is always compared.
    """

    lifetime: timedelta
    nonce_lifetime: timedelta
    is_nonce_required: bool


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
    def of(cls, request: HttpRequest, *, base: str, path: str) -> Self:
        """Return that of *request*.

        Args:
            base: The beginning of the address, from a setting.
            path: The rest of it. Django has decoded it.
        """
        text = request.META.get("HTTP_DPOP", "")
        return cls(text, request.method or "", f"{base}{escape_uri_path(path)}") if text else cls()

    def proof(self, rules: ProofRules, *, access_token: str = "") -> Proof:
        """Return the proof. Nothing is spent.

        Args:
            access_token: The token that the request presents. The proof must name it.

        Raises:
            InvalidDPoPProof: there is none, or it is not one for this request.
            UseDPoPNonce: it has no current nonce.
        """
        if not self.text:
            raise InvalidDPoPProof
        now = timezone.now().timestamp()
        try:
            proof = read_proof(
                self.text,
                method=self.method,
                address=self.address,
                now=now,
                age=rules.lifetime,
                access_token=access_token,
            )
        except InvalidProof as problem:
            raise InvalidDPoPProof(str(problem)) from problem
        if (proof.nonce or rules.is_nonce_required) and not is_current(proof.nonce, lifetime=rules.nonce_lifetime):
            raise UseDPoPNonce(current_nonce())
        return proof
