"""Why a document about a client cannot be used. The person reads it on a page, and nothing is redirected or stored."""

from auth_core.oauth.errors import OAuthError


class DocumentUnreadable(OAuthError):
    """There is no document at the address, or none that comes in time."""

    error, description = "invalid_client", "The description of the application cannot be read at its address."


class DocumentRefused(OAuthError):
    """The document is no valid description of the client at this address.

    Args:
        reason: What is wrong, without anything that the document says.
    """

    error = "invalid_client"

    def __init__(self, reason: str) -> None:
        super().__init__(f"The description of the application is not valid. {reason}")
