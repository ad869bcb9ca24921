"""The parameters of a request to an OAuth endpoint.

Source: OAuth 2.1 section 3.2.2: parameters come in the body as a form, an empty value counts as none, and none is repeated.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError

from auth_core.oauth.conf import oauth
from auth_core.oauth.errors import BodyTooLarge, InvalidRequest
from auth_core.request.json_objects import without_duplicates

#: The content types of bodies.
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 100

#: RFC 8707 section 2 and RFC 8693 section 2.1 let a client repeat these.
_REPEATABLE = frozenset({"resource", "audience"})


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one request.

    Args:
        single: Parameters by name.
        resources: The values of ``resource``, in order.
        audiences: Those of ``audience``.
    """

    single: Mapping[str, str] = field(repr=False)
    resources: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()

    def get(self, name: str) -> str:
        """Return a parameter, or an empty text."""
        return self.single.get(name, "")

    def require(self, name: str) -> str:
        """Return a parameter.

        Raises:
            InvalidRequest: it is missing.
        """
        value = self.get(name)
        if not value:
            raise InvalidRequest(f"The parameter {name} is missing.")
        return value


def form_parameters(request: HttpRequest) -> Parameters:
    """Return the parameters in the body of *request*. Those in the URL are ignored: it is logged.

    Raises:
        InvalidRequest: the body is no form, or a parameter is repeated.
        BodyTooLarge: it is longer than `MAX_BODY_BYTES`.
    """
    if request.content_type != FORM:
        raise InvalidRequest(f"Send the parameters as {FORM}.")
    return _parsed(body_of(request))


def json_members(request: HttpRequest) -> Mapping[str, Any]:
    """Return the members of the JSON object in the body of *request*.

    Raises:
        InvalidRequest: the body is no JSON object, or has a member twice.
        BodyTooLarge: it is longer than `MAX_BODY_BYTES`.
    """
    if request.content_type != JSON:
        raise InvalidRequest(f"Send a body of the type {JSON}.")
    try:
        members = json.loads(body_of(request), object_pairs_hook=without_duplicates)
    except (ValueError, RecursionError) as problem:
        raise InvalidRequest("The body is not valid JSON.") from problem
    if not isinstance(members, dict):
        raise InvalidRequest("The body is not a JSON object.")
    return members


def body_of(request: HttpRequest) -> bytes:
    """Return the body of *request*.

    Raises:
        InvalidRequest: its length is no number.
        BodyTooLarge: it is longer than `MAX_BODY_BYTES`.
    """
    try:
        length = int(request.META.get("CONTENT_LENGTH") or 0)
        body = b"" if length > oauth.MAX_BODY_BYTES else request.body
    except (RequestDataTooBig, UnreadablePostError) as problem:
        raise BodyTooLarge from problem
    except ValueError as problem:
        raise InvalidRequest("The length of the body is not a number.") from problem
    if length > oauth.MAX_BODY_BYTES or len(body) > oauth.MAX_BODY_BYTES:
        raise BodyTooLarge
    return body


def _parsed(body: bytes) -> Parameters:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as problem:
        # Also bytes outside of ASCII, escapes that are not UTF-8, and too many fields.
        raise InvalidRequest("The body is not a valid form.") from problem
    if any("\x00" in text for pair in pairs for text in pair):
        raise InvalidRequest("The body is not a valid form.")
    names = [name for name, _value in pairs if name not in _REPEATABLE]
    if len(names) != len(set(names)):
        raise InvalidRequest("A parameter is repeated.")
    resources, audiences = (
        tuple(value for name, value in pairs if name == wanted and value) for wanted in ("resource", "audience")
    )
    return Parameters(dict(_present(pairs)), resources, audiences)


def _present(pairs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    yield from ((name, value) for name, value in pairs if value and name not in _REPEATABLE)
