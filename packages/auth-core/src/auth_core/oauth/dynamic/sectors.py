"""The document of a sector: the redirect addresses that belong to it.

Source: OpenID Connect Core section 8.1, OpenID Connect Dynamic Client Registration section 5.
"""

from collections.abc import Sequence

from auth_core import limits
from auth_core.errors import TooManyAttempts
from auth_core.oauth.clients.redirect_uris import is_web, why_not_allowed
from auth_core.oauth.errors import InvalidClientMetadata, TooManyRequests
from auth_core.oauth_resource.keys.documents import DocumentFailed, fetch_answer, json_in
from auth_core.request.client import Client

#: The longest address of a document, in characters.
_LONGEST_ADDRESS = 512


def check_sector(uri: str, redirect_uris: Sequence[str], *, client: Client) -> None:
    """Check that the document at *uri* lists all of *redirect_uris*. Nothing is fetched for an empty address.

    A wrong one costs its network a guess, because each is a request to an address that a client chose.

    Raises:
        InvalidClientMetadata: it does not, or there is none.
        TooManyRequests: this network sent too many wrong ones.
    """
    if not uri:
        return
    if len(uri) > _LONGEST_ADDRESS or not is_web(uri) or why_not_allowed(uri):
        raise InvalidClientMetadata("sector_identifier_uri is not an https address.")
    try:
        charge = limits.charge("client", client=client)
    except TooManyAttempts as refusal:
        raise TooManyRequests(max(1, int(refusal.retry_after.total_seconds()))) from refusal
    try:
        listed = json_in(fetch_answer(uri))
    except DocumentFailed as problem:
        raise InvalidClientMetadata("There is no list of addresses at sector_identifier_uri.") from problem
    if not isinstance(listed, list) or not set(redirect_uris) <= {each for each in listed if isinstance(each, str)}:
        raise InvalidClientMetadata("The list at sector_identifier_uri lacks a redirect address.")
    charge.refund()
