"""The algorithms of signatures, as joserfc is allowed to use them. Does not use Django."""

from typing import Any

from joserfc.errors import UnsupportedAlgorithmError
from joserfc.jws import JWSRegistry

from auth_core.crypto.signature_algorithms import ALGORITHMS


class Registry(JWSRegistry):
    """The algorithms that are accepted, by name.

    joserfc warns of EdDSA at each use, because RFC 9864 renamed it. Clients know it by the old name.
    """

    #: Issuers add certificates and thumbprints. The whole token is bounded too.
    max_header_length = 4096

    def get_alg(self, name: str) -> Any:
        """Return the algorithm, if it is one of ours and allowed here."""
        if name not in ALGORITHMS or name not in (self.allowed or ()):
            raise UnsupportedAlgorithmError(f"Algorithm of '{name[:16]}' is not allowed")
        return self.algorithms[name]
