"""Client ids that are the address of a document about the client, and which of them this site accepts.

Source: draft-ietf-oauth-client-id-metadata-document section 3.
"""

from urllib.parse import unquote, urlsplit

from django.http.request import validate_host

from auth_core.oauth.clients.redirect_uris import is_web, why_not_allowed
from auth_core.oauth.conf import ALL_DOCUMENTS, LISTED_DOCUMENTS, oauth

#: The longest, in characters: the width of the column in django-oauth-toolkit.
_LONGEST = 255


def is_document_id(client_id: str) -> bool:
    """Return whether *client_id* is the address of a document: https, a host in lower case, and a path without dot segments.

    A client id is compared as a string. What servers and proxies would resolve to another address is none.
    """
    if len(client_id) > _LONGEST or not is_web(client_id) or why_not_allowed(client_id):
        return False
    parts = urlsplit(client_id)
    has_dots = any(unquote(segment) in (".", "..") for segment in parts.path.split("/"))
    return parts.path not in ("", "/") and not has_dots and parts.netloc == parts.netloc.lower()


def is_welcome(client_id: str) -> bool:
    """Return whether the site accepts the client with this address as its id."""
    if not oauth.accepts_documents or not is_document_id(client_id):
        return False
    if oauth.CLIENT_DOCUMENTS == LISTED_DOCUMENTS:
        return validate_host(host_of(client_id), list(oauth.CLIENT_DOCUMENT_HOSTS))
    return oauth.CLIENT_DOCUMENTS == ALL_DOCUMENTS


def host_of(client_id: str) -> str:
    """Return the host of an address, which is all that is known for sure about such a client."""
    return urlsplit(client_id).hostname or ""
