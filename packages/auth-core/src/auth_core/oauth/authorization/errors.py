"""The errors of the authorization endpoint. The client gets them at its redirect address.

Source: OAuth 2.1 section 4.1.2.1, OpenID Connect Core section 3.1.2.6, OpenID Connect Core Error Code
unmet_authentication_requirements 1.0.
"""

from http import HTTPStatus

from auth_core.oauth.errors import OAuthError


class AddressUnknown(OAuthError):
    """The client or its redirect address is unknown. The person reads it on a page, and nothing is redirected."""

    error = "invalid_request"
    description = "The application or its redirect address is not known here."


class RequestMalformed(OAuthError):
    """The request cannot be read: it is too long, or a parameter is repeated."""

    error, description = "invalid_request", "The request is too long, or a parameter is repeated."


class RequestGone(OAuthError):
    """The handle is unknown, expired, or was answered."""

    error, status = "invalid_request", HTTPStatus.GONE
    description = "The request has expired or was answered already."


class PushRequired(OAuthError):
    """The application must push its requests (RFC 9126 section 5). The person reads it on a page, and nothing is stored."""

    error, description = "invalid_request", "The application must push its request first."


class UnsupportedResponseType(OAuthError):
    """The response type is another one than ``code``."""

    error, description = "unsupported_response_type", "The only response type is code."


class RequestNotSupported(OAuthError):
    """The client sent a request object (OpenID Connect Core section 6.1)."""

    error, description = "request_not_supported", "The parameter request is not supported."


class RequestUriNotSupported(OAuthError):
    """The client sent the address of a request object (OpenID Connect Core section 6.2)."""

    error, description = "request_uri_not_supported", "The parameter request_uri is not supported."


class AccessDenied(OAuthError):
    """The person refused, or may not use the application."""

    error, description = "access_denied", "The request was denied."


class LoginRequired(OAuthError):
    """The person must sign in, or sign in again, and the client forbids a page or named another person."""

    error, description = "login_required", "The person must sign in."


class InteractionRequired(OAuthError):
    """The person must do something else than sign in or consent, and the client forbids a page."""

    error, description = "interaction_required", "The person must prove more."


class ConsentRequired(OAuthError):
    """The person must consent, and the client forbids a page."""

    error, description = "consent_required", "The person must consent."


class UnmetRequirements(OAuthError):
    """The person cannot reach an essential level of assurance."""

    error = "unmet_authentication_requirements"
    description = "The requested level of assurance cannot be reached."
