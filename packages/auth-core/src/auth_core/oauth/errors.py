"""What an OAuth endpoint answers in place of a success. The shapes are those of RFC 6749, not problem documents.

Domain code raises them. `auth_core.oauth.endpoints.answers` renders them.
"""

from http import HTTPStatus
from typing import ClassVar


class OAuthError(Exception):
    """An expected error of an OAuth endpoint.

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


class InvalidRequest(OAuthError):
    """A parameter is missing, malformed or repeated."""

    error = "invalid_request"


class BodyTooLarge(OAuthError):
    """The body is longer than any request needs."""

    error, status, description = "invalid_request", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too large."


class InvalidClient(OAuthError):
    """The client did not authenticate.

    Args:
        scheme: The scheme of the header that the client used. Empty if it used none.
    """

    error, status = "invalid_client", HTTPStatus.UNAUTHORIZED
    description = "The client could not be authenticated."

    def __init__(self, description: str = "", *, scheme: str = "Basic") -> None:
        super().__init__(description)
        self.scheme = scheme

    @property
    def headers(self) -> dict[str, str]:
        """The challenge, of the scheme that the client used (RFC 6749 section 5.2)."""
        return {"WWW-Authenticate": f'{self.scheme or "Basic"} realm="oauth"'}


class InvalidGrant(OAuthError):
    """The code or refresh token is wrong, used, expired, of another client, or of a person who is not admitted."""

    error, description = "invalid_grant", "The code or token is not valid."


class UnauthorizedClient(OAuthError):
    """The application may not use this grant type."""

    error, description = "unauthorized_client", "This client may not use this grant type."


class UnsupportedGrantType(OAuthError):
    """No application may use this grant type."""

    error, description = "unsupported_grant_type", "This grant type is not supported."


class InvalidScope(OAuthError):
    """The scope is unknown, or more than the application may have."""

    error, description = "invalid_scope", "The scope is not valid for this client."


class InvalidRequestUri(OAuthError):
    """The pushed request is unknown, expired, of another client, or was answered (RFC 9126 section 2.2)."""

    error, description = "invalid_request_uri", "The request_uri is unknown, has expired, or was answered already."


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


class InvalidTarget(OAuthError):
    """The resource is unknown, or more than what was authorized (RFC 8707)."""

    error, description = "invalid_target", "The resource is not known or not authorized."


class InvalidToken(OAuthError):
    """The access token is wrong, expired, revoked, or of a person who is not admitted (RFC 6750)."""

    error, status, description = "invalid_token", HTTPStatus.UNAUTHORIZED, "The access token is not valid."

    def __init__(self, description: str = "", *, scheme: str = "Bearer") -> None:
        super().__init__(description)
        self.scheme = scheme

    @property
    def headers(self) -> dict[str, str]:
        """The challenge of RFC 6750 section 3, of the scheme that the client used."""
        return {"WWW-Authenticate": f'{self.scheme} error="{self.error}", error_description="{self}"'}


class ProofRefused(OAuthError):
    """The proof beside an access token is refused (RFC 9449 sections 7.1 and 9).

    Args:
        problem: Why, as the endpoints that issue tokens say it.
    """

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, problem: OAuthError) -> None:
        super().__init__(str(problem))
        self.error = problem.error  # type: ignore[misc]  # the error is that of the problem
        self._headers = problem.headers

    @property
    def headers(self) -> dict[str, str]:
        """The challenge, with the nonce if the proof needs one."""
        return {**self._headers, "WWW-Authenticate": f'DPoP error="{self.error}", error_description="{self}"'}


class MissingToken(OAuthError):
    """The request has no access token. The answer says nothing more (RFC 6750 section 3.1)."""

    error, status, description = "invalid_token", HTTPStatus.UNAUTHORIZED, "Send an access token."

    @property
    def headers(self) -> dict[str, str]:
        """The challenge without an error."""
        return {"WWW-Authenticate": "Bearer"}


class InsufficientScope(OAuthError):
    """The access token lacks a scope."""

    error, status = "insufficient_scope", HTTPStatus.FORBIDDEN
    description = "The access token lacks a scope."

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    @property
    def headers(self) -> dict[str, str]:
        """The challenge, with the scope that is needed."""
        return {"WWW-Authenticate": f'Bearer error="{self.error}", scope="{self.scope}"'}


class Unavailable(OAuthError):
    """A part of the service does not answer. Nothing was changed."""

    error, status = "temporarily_unavailable", HTTPStatus.SERVICE_UNAVAILABLE
    description = "Not available right now. Try again later."

    @property
    def headers(self) -> dict[str, str]:
        """When to try again, in seconds."""
        return {"Retry-After": "5"}


class TooManyRequests(OAuthError):
    """Too many wrong secrets came from this network.

    Args:
        seconds: When to try again.
    """

    error, status = "temporarily_unavailable", HTTPStatus.TOO_MANY_REQUESTS
    description = "Too many attempts. Try again later."

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds

    @property
    def headers(self) -> dict[str, str]:
        """When to try again, in seconds."""
        return {"Retry-After": str(self.seconds)}
