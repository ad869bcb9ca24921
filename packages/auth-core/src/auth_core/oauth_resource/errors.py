"""Refusals of OAuth endpoints and of resource servers. Their bodies have the shape of RFC 6749, not of problem documents."""

from http import HTTPStatus
from typing import ClassVar

from auth_core.crypto.signature_algorithms import STRONG_ALGORITHMS
from auth_core.errors import challenge

#: The schemes under which a token is sent (RFC 6750, RFC 9449).
BEARER, DPOP = "Bearer", "DPoP"


def _algs_of(scheme: str) -> str:
    """Return the parameter `algs` of a challenge."""
    return " ".join(STRONG_ALGORITHMS) if scheme == DPOP else ""


class OAuthError(Exception):
    """An expected error of an OAuth endpoint or of a resource server.

    Args:
        description: One sentence for the developer of the client. It never repeats what was sent.
    """

    error: ClassVar[str]
    status: ClassVar[int] = HTTPStatus.BAD_REQUEST
    description: ClassVar[str] = ""

    def __init__(self, description: str = "") -> None:
        super().__init__(description or type(self).description)

    @property
    def headers(self) -> dict[str, str]:
        """Headers of the answer."""
        return {}


class Unavailable(OAuthError):
    """A part of the service does not answer. Nothing was changed."""

    error, status = "temporarily_unavailable", HTTPStatus.SERVICE_UNAVAILABLE
    description = "Not available right now. Try again later."

    @property
    def headers(self) -> dict[str, str]:
        """When to try again, in seconds."""
        return {"Retry-After": "5"}


class TooManyUnknownTokens(OAuthError):
    """Too many tokens that nobody knows came from this network. Nothing was asked about this one.

    Args:
        seconds: When to try again.
    """

    error, status = "temporarily_unavailable", HTTPStatus.TOO_MANY_REQUESTS
    description = "Too many unknown tokens. Try again later."

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds

    @property
    def headers(self) -> dict[str, str]:
        """When to try again, in seconds."""
        return {"Retry-After": str(self.seconds)}


class InvalidDPoPProof(OAuthError):
    """The DPoP proof is missing, wrong, or was used before (RFC 9449 section 5)."""

    error, description = "invalid_dpop_proof", "Send a DPoP proof."


class UseDPoPNonce(OAuthError):
    """The DPoP proof has no current nonce. Nothing was spent, so that the client can send the same again (section 8).

    Args:
        nonce: For the next proof.
    """

    error, description = "use_dpop_nonce", "Put the nonce of the header DPoP-Nonce into the proof."

    def __init__(self, nonce: str) -> None:
        super().__init__()
        self.nonce = nonce

    @property
    def headers(self) -> dict[str, str]:
        """The nonce."""
        return {"DPoP-Nonce": self.nonce}


class TokenRefusal(OAuthError):
    """A refusal with a challenge: what is wrong with the access token, or what it lacks.

    Args:
        metadata: Address of the metadata of the resource server (RFC 9728 section 5.1). Empty: it has none.
        scheme: The scheme under which the token was sent.
    """

    def __init__(self, description: str = "", *, metadata: str = "", scheme: str = BEARER) -> None:
        super().__init__(description)
        self.metadata = metadata
        self.scheme = scheme

    @property
    def parameters(self) -> dict[str, str | int | None]:
        """The parameters of the challenge, metadata apart."""
        return {"error": self.error, "error_description": str(self)}

    @property
    def headers(self) -> dict[str, str]:
        """The challenge of RFC 6750 section 3, of the scheme that the client used or must use."""
        return {"WWW-Authenticate": self.challenge_of(self.scheme)}

    def challenge_of(self, scheme: str) -> str:
        """Return the challenge of *scheme*. That of DPoP names the algorithms of proofs (RFC 9449 section 7.1)."""
        return challenge(scheme, **self.parameters, resource_metadata=self.metadata, algs=_algs_of(scheme))


class InvalidToken(TokenRefusal):
    """The access token is wrong, expired, revoked, or of a person who is not admitted (RFC 6750)."""

    error, status, description = "invalid_token", HTTPStatus.UNAUTHORIZED, "The access token is not valid."


class ProofRefused(TokenRefusal):
    """The proof beside an access token is refused (RFC 9449 sections 7.1 and 9).

    Args:
        problem: Why, as the endpoints that issue tokens say it. Its headers, such as the one with a nonce, are sent as well.
    """

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, problem: OAuthError) -> None:
        super().__init__(str(problem), scheme=DPOP)
        self.error = problem.error  # type: ignore[misc]  # the error is that of the problem
        self.problem = problem

    @property
    def headers(self) -> dict[str, str]:
        """The challenge, with the nonce if the proof needs one."""
        return {**self.problem.headers, **super().headers}


class MissingToken(TokenRefusal):
    """The request has no access token. The challenge has no error (RFC 6750 section 3.1).

    Args:
        scope: Scopes to ask for.
        schemes: The schemes under which a token may be sent.
    """

    error, status, description = "invalid_token", HTTPStatus.UNAUTHORIZED, "Send an access token."

    def __init__(self, scope: str = "", *, schemes: tuple[str, ...] = (BEARER,)) -> None:
        super().__init__()
        self.scope = scope
        self.schemes = schemes

    @property
    def headers(self) -> dict[str, str]:
        """A challenge of the first scheme, with everything. The others are named, with their algorithms."""
        first, *others = self.schemes
        named = [challenge(scheme, algs=_algs_of(scheme)) for scheme in others]
        return {"WWW-Authenticate": ", ".join([self.challenge_of(first), *named])}

    @property
    def parameters(self) -> dict[str, str | int | None]:
        """What to ask for, and no error."""
        return {"scope": self.scope}


class InsufficientScope(TokenRefusal):
    """The access token lacks a scope.

    Args:
        scope: What is needed. Empty: no token opens this.
    """

    error, status = "insufficient_scope", HTTPStatus.FORBIDDEN
    description = "The access token lacks a scope."

    def __init__(self, scope: str = "") -> None:
        super().__init__()
        self.scope = scope

    @property
    def parameters(self) -> dict[str, str | int | None]:
        """The error, and the scopes that are needed."""
        return {"error": self.error, "scope": self.scope}


class InsufficientAuthentication(TokenRefusal):
    """The person of the token has not proved enough, or not recently enough.

    Source: RFC 9470 section 3.

    Args:
        acr: What must be proved. Empty: any.
        max_age: How long ago at most, in seconds.
    """

    error, status = "insufficient_user_authentication", HTTPStatus.UNAUTHORIZED
    description = "A stronger or more recent authentication is required."

    def __init__(self, *, acr: str = "", max_age: int | None = None) -> None:
        super().__init__()
        self.acr = acr
        self.max_age = max_age

    @property
    def parameters(self) -> dict[str, str | int | None]:
        """The error, and the parameters of the authorization request that would satisfy it."""
        return {**super().parameters, "acr_values": self.acr, "max_age": self.max_age}
