"""The documents of an issuer: its metadata, its keys, and what it says about a token.

They are fetched by `auth_core.runtime.http_client`, within its limits of time, size and addresses, and without redirects.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from auth_core.oauth_resource.issuers.issuer import Issuer
from auth_core.runtime.http_client import Answer, OutboundFailed, OutboundRefused, fetch

_OK = 200
_CLIENT_ERRORS = range(400, 500)


class IssuerFailed(Exception):
    """The issuer does not answer, or its answer cannot be used. The message holds no part of the answer."""


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object of an issuer.

    Args:
        members: The object.
        headers: The header fields of the answer, with names in lower case.
    """

    members: Mapping[str, Any]
    headers: Mapping[str, str]


def fetch_document(
    url: str, *, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> Document:
    """Return the JSON object at *url*.

    Raises:
        IssuerFailed: there is none.
    """
    return _document(_answer(url, method=method, body=body, headers=headers))


def discover(issuer: Issuer) -> Mapping[str, Any]:
    """Return the metadata of *issuer*. One that names another issuer is refused.

    Raises:
        IssuerFailed: there is none that can be used.

    Source: RFC 8414 section 3, OpenID Connect Discovery section 4.
    """
    answer = None
    for url in metadata_urls(issuer.url):
        answer = _answer(url)
        if answer.status not in _CLIENT_ERRORS:
            break
    if answer is None:
        raise IssuerFailed("it has no metadata")
    members = _document(answer).members
    if members.get("issuer") != issuer.url:
        raise IssuerFailed("its metadata names another issuer")
    return members


def metadata_urls(issuer: str) -> list[str]:
    """Return where the metadata of *issuer* may be: at the inserted path, then at the appended one."""
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return [
        f"{origin}/.well-known/oauth-authorization-server{path}",
        f"{origin}{path}/.well-known/openid-configuration",
    ]


def endpoint_in(members: Mapping[str, Any], name: str) -> str:
    """Return the address *name* in metadata.

    Raises:
        IssuerFailed: it is missing.
    """
    url = members.get(name)
    if not isinstance(url, str) or not url:
        raise IssuerFailed(f"its metadata has no {name}")
    return url


def _answer(url: str, **request: Any) -> Answer:
    headers = {"Accept": "application/json", **(request.pop("headers", None) or {})}
    try:
        return fetch(url, headers=headers, **request)
    except (OutboundRefused, OutboundFailed) as problem:
        raise IssuerFailed(f"{type(problem).__name__}: {problem}") from problem


def _document(answer: Answer) -> Document:
    if answer.status != _OK:
        raise IssuerFailed(f"it answers with the status {answer.status}")
    try:
        members = json.loads(answer.body)
    except (ValueError, RecursionError) as problem:
        raise IssuerFailed("its answer is no JSON") from problem
    if not isinstance(members, dict):
        raise IssuerFailed("its answer is no JSON object")
    return Document(members, {name.lower(): value for name, value in answer.headers.items()})
