"""How a document is fetched. Anyone can name an address, so the request follows no redirect and reaches no private network."""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from auth_core.oauth.conf import oauth
from auth_core.oauth.documents.document import DescribedClient, parse_document
from auth_core.oauth.documents.errors import DocumentRefused, DocumentUnreadable
from auth_core.runtime.cache_headers import allowed_lifetime
from auth_core.runtime.http_client import OutboundFailed, OutboundRefused, fetch

#: The longest document, in bytes. The draft recommends 5 KiB.
_LONGEST = 16_384

#: How long a document is used at least, regardless of `Cache-Control`.
_SHORTEST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedDocument:
    """A document that was just fetched.

    Args:
        client: What it says.
        lifetime: How long it may be used.
    """

    client: DescribedClient
    lifetime: timedelta


def load_document(client_id: str) -> LoadedDocument:
    """Fetch the document at the address *client_id*.

    Raises:
        DocumentUnreadable: there is no answer with status 200 in time, or it is too long.
        DocumentRefused: it is no valid description of this client.
    """
    try:
        answer = fetch(client_id, headers={"Accept": "application/json, application/*+json"})
    except (OutboundFailed, OutboundRefused) as problem:
        raise DocumentUnreadable from problem
    headers = {name.lower(): value for name, value in answer.headers.items()}
    if answer.status != HTTPStatus.OK or len(answer.body) > _LONGEST:
        raise DocumentUnreadable
    if not _is_json(headers.get("content-type", "")):
        # A picture or a page that people may upload to a site describes no client.
        raise DocumentRefused("Its content type is not that of JSON.")
    client = parse_document(answer.body, client_id=client_id)
    allowed = allowed_lifetime(headers)
    longest = oauth.CLIENT_DOCUMENT_LIFETIME
    return LoadedDocument(client=client, lifetime=min(longest, max(_SHORTEST, longest if allowed is None else allowed)))


def _is_json(content_type: str) -> bool:
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
