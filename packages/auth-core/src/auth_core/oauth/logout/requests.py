"""What a client asks for at the logout endpoint, checked.

Source: OpenID Connect RP-Initiated Logout 1.0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auth_core.oauth.authorization.parameters import text_of
from auth_core.oauth.authorization.responses import with_query
from auth_core.oauth.clients.redirect_uris import why_not_allowed
from auth_core.oauth.clients.registry import RegisteredApplication, find_application
from auth_core.oauth.errors import InvalidRequest
from auth_core.oauth.tokens import signatures


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutRequest:
    """A logout that a client asks for.

    Args:
        application: The client, if the request proves or names one.
        address: Where the person goes afterwards, with the state. Empty: a page of ours says that they are signed out.
    """

    application: RegisteredApplication | None = None
    address: str = ""


def read_logout(parameters: Mapping[str, Any]) -> LogoutRequest:
    """Return what *parameters* ask for.

    Without a client the address cannot be checked, and is not used.

    Raises:
        InvalidRequest: the hint is not one of ours, the client is unknown, or the address is not registered for it.
    """
    claims = _claims_of_hint(text_of(parameters, "id_token_hint"))
    named = text_of(parameters, "client_id")
    audience = str(claims.get("aud", ""))
    if audience and named and audience != named:
        raise InvalidRequest("The id_token_hint is one of another client.")
    client_id = audience or named
    application = find_application(client_id) if client_id else None
    if client_id and (application is None or not application.is_active):
        raise InvalidRequest("The client is not known here.")
    address = text_of(parameters, "post_logout_redirect_uri")
    if application is None or not address:
        address = ""
    elif address not in application.post_logout_redirect_uris or why_not_allowed(address):
        raise InvalidRequest("The post_logout_redirect_uri is not registered for this client.")
    state = text_of(parameters, "state")
    return LogoutRequest(
        application=application,
        address=with_query(address, {"state": state} if state else {}) if address else "",
    )


def _claims_of_hint(hint: str) -> Mapping[str, Any]:
    """Return the claims of an ID token of ours. It may have expired: people sign out late.

    Raises:
        InvalidRequest: it is not one of ours.
    """
    if not hint:
        return {}
    claims = signatures.read(hint, type_=signatures.ID, is_expiry_checked=False)
    if claims is None:
        raise InvalidRequest("The id_token_hint is not an ID token of this provider.")
    return claims
