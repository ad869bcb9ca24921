"""``Authorization: Bearer`` and ``DPoP`` in views of Django REST framework."""

from typing import Any

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from auth_core.oauth_resource.access.admission import admit
from auth_core.oauth_resource.access.needs import Needs
from auth_core.oauth_resource.access.sender import nonce_headers, schemes
from auth_core.oauth_resource.api.permissions import needs_of
from auth_core.oauth_resource.api.refusals import refusals_for_drf
from auth_core.oauth_resource.errors import DPOP, InsufficientScope, MissingToken
from auth_core.oauth_resource.metadata.document import metadata_url
from auth_core.oauth_resource.tokens.access_token import VerifiedToken
from auth_core.oauth_resource.tokens.header import presented_token


class BearerAuthentication(BaseAuthentication):
    """Accepts access tokens. ``request.user`` is the person, and ``request.auth`` the token.

    A view is open to tokens only if it has `RequireScopes` among its permissions. With other authenticators beside it, this
    one comes first.
    """

    def authenticate(self, request: Request) -> tuple[Any, VerifiedToken] | None:
        """Return the person and the token. ``None`` without such a header.

        Raises:
            TokenRefused: the token is not valid, or no token opens this view.
        """
        with refusals_for_drf():
            if presented_token(request._request) is None:
                return None
            _announce_nonce(request)
            person, token = admit(request._request, Needs())
            if needs_of(request) is None:
                refusal = InsufficientScope()
                refusal.scheme = DPOP if token.is_bound else refusal.scheme
                raise refusal
            return person, token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge for a request without a token, with the scopes to ask for."""
        needs = needs_of(request)
        refusal = MissingToken("" if needs is None else needs.scope, schemes=schemes())
        refusal.metadata = metadata_url()
        return refusal.headers["WWW-Authenticate"]


def _announce_nonce(request: Request) -> None:
    """Add the nonce for the next proof to the answer, also to a refusal: an exception handler sends no such header."""
    view = (request.parser_context or {}).get("view")
    if view is not None:
        view.headers.update(nonce_headers(request._request))
