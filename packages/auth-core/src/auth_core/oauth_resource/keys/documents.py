"""JSON objects at addresses of others.

They are fetched by `auth_core.runtime.http_client`, within its limits of time, size and addresses, and without redirects.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auth_core.runtime.http_client import Answer, OutboundFailed, OutboundRefused, fetch

_OK = 200


class DocumentFailed(Exception):
    """There is no answer, or it cannot be used. The message holds no part of the answer."""


@dataclass(frozen=True, slots=True)
class Document:
    """A JSON object of someone else.

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
        DocumentFailed: there is none.
    """
    return document_in(fetch_answer(url, method=method, body=body, headers=headers))


def fetch_answer(url: str, **request: Any) -> Answer:
    """Return what *url* answers, whatever it is.

    Raises:
        DocumentFailed: it does not, or is not asked.
    """
    headers = {"Accept": "application/json", **(request.pop("headers", None) or {})}
    try:
        return fetch(url, headers=headers, **request)
    except (OutboundRefused, OutboundFailed) as problem:
        raise DocumentFailed(f"{type(problem).__name__}: {problem}") from problem


def document_in(answer: Answer) -> Document:
    """Return the JSON object in *answer*.

    Raises:
        DocumentFailed: it is none.
    """
    members = json_in(answer)
    if not isinstance(members, dict):
        raise DocumentFailed("its answer is no JSON object")
    return Document(members, {name.lower(): value for name, value in answer.headers.items()})


def json_in(answer: Answer) -> Any:
    """Return the JSON in *answer*.

    Raises:
        DocumentFailed: it is none.
    """
    if answer.status != _OK:
        raise DocumentFailed(f"it answers with the status {answer.status}")
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as problem:
        raise DocumentFailed("its answer is no JSON") from problem
