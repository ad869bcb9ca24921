"""What an endpoint of the layer before Django is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlyAnswer:
    """A complete answer with status 200.

    Args:
        body: The JSON object, before it is written.
        session: Public id of the session, for the log.
        subject: Public id of the person, for the log.
    """

    body: Mapping[str, Any]
    session: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One URL that may be answered early.

    Args:
        url_name: Name of its URL, such as ``core-api:me``.
        methods: The methods that may be answered early.
        kind_of: Returns by what the caller is identified, such as a header, if that may decide about headers of the answer.
            Empty: the request is passed on. It makes no query and no round trip.
        answer: Returns the answer, or ``None`` to pass the request on. It runs in the context of the request, and changes
            nothing that the normal path would not change as well.
        write: Returns the bytes that the view writes for a body.
        reads_body: Whether requests have a body, and not a request without one.
    """

    url_name: str
    methods: frozenset[str]
    kind_of: Callable[[HttpRequest], str]
    answer: Callable[[HttpRequest, str], EarlyAnswer | None]
    write: Callable[[Mapping[str, Any]], bytes]
    reads_body: bool = False
