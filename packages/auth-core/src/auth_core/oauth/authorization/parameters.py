"""The parameters of a request, as they come from the network and as they are stored.

They are read before the client is known, so nothing here depends on one.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError

from auth_core.oauth.authorization.errors import RequestMalformed

#: The longest query string and the longest body, in characters. A row stores what they hold.
LONGEST = 16_384
_MOST_FIELDS = 60

_FORM = "application/x-www-form-urlencoded"

#: The only one that a client may repeat (RFC 8707 section 2).
RESOURCE = "resource"

#: What is read at the authorization endpoint. All others are ignored (OpenID Connect Core section 3.1.2.1).
AUTHORIZE = frozenset({
    "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge",
    "code_challenge_method", "prompt", "max_age", "acr_values", "claims", "id_token_hint", "login_hint", "ui_locales",
    "request", "request_uri", "dpop_jkt", "authorization_details", RESOURCE,
})  # fmt: skip

#: What is read at the logout endpoint.
LOGOUT = frozenset({"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales", RESOURCE})


def read_parameters(request: HttpRequest, read: frozenset[str]) -> dict[str, Any]:
    """Return the parameters *read* of *request*: of the query of a GET, of the body of a POST.

    An empty value counts as none. The parameters are text, and ``resource`` is a list of texts.

    Raises:
        RequestMalformed: the request is too long or malformed, or a parameter is repeated.
    """
    try:
        text = _body(request) if request.method == "POST" else request.META.get("QUERY_STRING", "")
        if len(text) > LONGEST:
            raise RequestMalformed
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except (RequestDataTooBig, UnreadablePostError, ValueError) as problem:
        # A ValueError: bytes outside of ASCII, escapes that are not UTF-8, or too many fields.
        raise RequestMalformed from problem
    names = [name for name, _value in pairs if name != RESOURCE]
    if len(names) != len(set(names)) or any("\x00" in part for pair in pairs for part in pair):
        raise RequestMalformed
    single: dict[str, Any] = {name: value for name, value in pairs if value and name in read and name != RESOURCE}
    resources = [value for name, value in pairs if name == RESOURCE and value]
    return {**single, RESOURCE: resources} if resources else single


def text_of(parameters: Mapping[str, Any], name: str) -> str:
    """Return a parameter, or an empty text."""
    value = parameters.get(name, "")
    return value if isinstance(value, str) else ""


def _body(request: HttpRequest) -> str:
    if request.content_type != _FORM:
        raise RequestMalformed
    return request.body.decode("ascii")
