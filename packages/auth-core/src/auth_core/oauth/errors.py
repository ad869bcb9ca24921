"""What an OAuth endpoint answers in place of a success. The shapes are those of RFC 6749, not problem documents.

Domain code raises them. `auth_core.oauth.endpoints.answers` renders them. Those that concern an access token are the same
at every resource server.
"""

from http import HTTPStatus

from auth_core.errors import challenge
from auth_core.oauth_resource.errors import (
    InsufficientScope,
    InvalidDPoPProof,
    InvalidToken,
    MissingToken,
    OAuthError,
    ProofRefused,
    Unavailable,
    UseDPoPNonce,
)

__all__ = [
    "AuthorizationPending",
    "BodyTooLarge",
    "ExpiredToken",
    "InsufficientScope",
    "InvalidAuthorizationDetails",
    "InvalidClient",
    "InvalidClientMetadata",
    "InvalidDPoPProof",
    "InvalidGrant",
    "InvalidRedirectUri",
    "InvalidRequest",
    "InvalidRequestUri",
    "InvalidScope",
    "InvalidSoftwareStatement",
    "InvalidTarget",
    "InvalidToken",
    "MissingToken",
    "OAuthError",
    "ProofRefused",
    "SlowDown",
    "TooManyRequests",
    "UnapprovedSoftwareStatement",
    "UnauthorizedClient",
    "Unavailable",
    "UnsupportedGrantType",
    "UseDPoPNonce",
]


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
        return {"WWW-Authenticate": challenge(self.scheme or "Basic", realm="oauth")}


class InvalidRedirectUri(OAuthError):
    """A redirect address cannot be registered (RFC 7591 section 3.2.2)."""

    error, description = "invalid_redirect_uri", "A redirect address is not allowed."


class InvalidClientMetadata(OAuthError):
    """Metadata of a client that cannot be registered (RFC 7591 section 3.2.2)."""

    error, description = "invalid_client_metadata", "The metadata of the client is not valid."


class InvalidSoftwareStatement(OAuthError):
    """The software statement is no signed token (RFC 7591 section 3.2.2)."""

    error, description = "invalid_software_statement", "The software statement is not a signed token."


class UnapprovedSoftwareStatement(OAuthError):
    """Nobody is trusted to sign software statements (RFC 7591 section 3.2.2)."""

    error, description = "unapproved_software_statement", "This service accepts no software statements."


class InvalidGrant(OAuthError):
    """The code or refresh token is wrong, used, expired, of another client, or of a person who is not admitted."""

    error, description = "invalid_grant", "The code or token is not valid."


class AuthorizationPending(OAuthError):
    """The person has not decided about the device yet (RFC 8628 section 3.5). It is an answer, and no refusal."""

    error, description = "authorization_pending", "The person has not answered yet. Ask again after the interval."


class SlowDown(AuthorizationPending):
    """The person has not decided yet, and the device asks too often. Its interval is five seconds longer from now on."""

    error, description = "slow_down", "Wait five seconds longer between two requests from now on."


class ExpiredToken(OAuthError):
    """The device code has expired."""

    error, description = "expired_token", "The device code has expired. Ask for another one."


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


class InvalidTarget(OAuthError):
    """The resource is unknown, or more than what was authorized (RFC 8707)."""

    error, description = "invalid_target", "The resource is not known or not authorized."


class InvalidAuthorizationDetails(OAuthError):
    """The details are malformed, of an unknown type, or more than what was authorized (RFC 9396 section 5)."""

    error = "invalid_authorization_details"
    description = "The authorization details are not valid for this client."


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
