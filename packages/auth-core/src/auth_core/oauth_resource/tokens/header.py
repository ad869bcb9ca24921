"""The access token of a request. It is read from ``Authorization`` only.

Source: RFC 6750 section 2.1, RFC 9449 section 7.1. A URL is logged, and a form is not the token's place, so neither is read.
"""

from django.http import HttpRequest

from auth_core.oauth_resource.errors import BEARER, DPOP
from auth_core.oauth_resource.tokens.claims import refused
from auth_core.oauth_resource.tokens.compact import LONGEST
from auth_core.text import Pattern

#: ``b64token``. RFC 9110 section 11.2 calls it ``token68``.
_TOKEN = Pattern(r"[A-Za-z0-9\-._~+/]+=*", at_most=LONGEST)


def token_of_scheme(request: HttpRequest, scheme: str) -> str | None:
    """Return the token in the header, or ``None`` if the request has none of *scheme*.

    Raises:
        InvalidToken: it is too long, or malformed.
    """
    header: str = request.META.get("HTTP_AUTHORIZATION", "")
    if header[: len(scheme)].lower() != scheme.lower() or header[len(scheme) : len(scheme) + 1].strip():
        return None
    # A longer header is refused before it is read.
    text = header[len(scheme) :].strip() if len(header) <= len(scheme) + 1 + LONGEST else ""
    if not _TOKEN.fullmatch(text):
        raise refused("it is malformed or too long", scheme=scheme)
    return text


def presented_token(request: HttpRequest) -> tuple[str, str] | None:
    """Return the scheme and the token in the header of *request*. ``None`` if it has none of a scheme of ours.

    Raises:
        InvalidToken: it is too long, or malformed.
    """
    for scheme in (BEARER, DPOP):
        text = token_of_scheme(request, scheme)
        if text is not None:
            return scheme, text
    return None
