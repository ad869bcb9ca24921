"""The page for a browser whose form was refused because too many passwords are being hashed.

The event loop makes it, while the service has more to do than it can. So it needs no template, session, database or static
file, and its only link leads back to the form.
"""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.http.cookie import parse_cookie
from django.utils import translation
from django.utils.html import format_html
from django.utils.translation import gettext as _

#: The content types of HTML forms. Other callers get a problem document.
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

#: Maximum length of a header that is parsed, in characters. Longer ones are ignored.
_LONGEST = 4096

_PAGE = (
    '<!doctype html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
    '<title>{title}</title></head><body><main><h1>{title}</h1><p>{lead}</p><p><a href="?{query}">{again}</a></p></main>'
    "</body></html>"
)

#: The headers of the page. It loads nothing, and no other site may frame it.
HEADERS = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
)


def busy_page(environ: Mapping[str, Any]) -> bytes | None:
    """Return the page for the request of *environ*, in its language. ``None`` unless a browser posted a form.

    The link is relative: a proxy may have removed a prefix from the path.
    """
    is_form = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() in _FORMS
    if not is_form or "text/html" not in environ.get("HTTP_ACCEPT", ""):
        return None
    query = environ["QUERY_STRING"]
    with translation.override(_language_of(environ)):
        return format_html(
            _PAGE,
            language=translation.get_language() or "",
            direction="rtl" if translation.get_language_bidi() else "ltr",
            title=_("Temporarily unavailable"),
            lead=_(
                "Too many people are signing in right now, so your form was not read. Wait a few seconds and try again."
            ),
            query=query if len(query) <= _LONGEST else "",
            again=_("Try again"),
        ).encode()


def _language_of(environ: Mapping[str, Any]) -> str:
    """Return the language that Django's ``LocaleMiddleware`` chooses: by the cookie, then by the browser."""
    request, cookies = HttpRequest(), environ.get("HTTP_COOKIE", "")
    request.META = dict(environ)
    request.COOKIES = parse_cookie(cookies) if len(cookies) <= _LONGEST else {}
    return translation.get_language_from_request(request)
