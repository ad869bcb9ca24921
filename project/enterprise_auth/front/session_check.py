"""``GET me/`` before Django: which person and which session is this?"""

from django.http import HttpRequest

from auth_core.api.responses import me_body
from auth_core.conf import core
from auth_core.contracts import Transport
from auth_core.people.lookup import identity_of
from auth_core.text import Pattern
from auth_sessions.api.authentication import SCHEME
from auth_sessions.revocation.session_lookup import is_credential, look_up_session
from enterprise_auth.core.conf import site
from enterprise_auth.core.json_body import json_body
from enterprise_auth.front.endpoint import EarlyAnswer, Endpoint

#: A CSRF cookie that Django leaves as it is. It replaces any other with a new one.
_CSRF_COOKIE = Pattern(r"[a-zA-Z0-9]{32}(?:[a-zA-Z0-9]{32})?", at_most=64)

_PREFIX = f"{SCHEME} "


def kind_of(request: HttpRequest) -> str:
    """Return the transport of the credential of *request*. Empty without one, and with two."""
    header, cookies = request.META.get("HTTP_AUTHORIZATION"), request.COOKIES
    if not cookies.keys() <= _harmless_cookies() or not _CSRF_COOKIE.fullmatch(cookies.get(site.csrf_cookie, "0" * 32)):
        return ""
    has_cookie = site.session_cookie in cookies
    if header is None:
        return Transport.COOKIE.value if has_cookie and is_credential(cookies[site.session_cookie]) else ""
    is_token = header.startswith(_PREFIX) and is_credential(header.removeprefix(_PREFIX))
    return Transport.TOKEN.value if is_token and not has_cookie else ""


def answer(request: HttpRequest, kind: str) -> EarlyAnswer | None:
    """Return the profile of the person who is signed in. ``None`` for everyone else."""
    if kind == Transport.TOKEN:
        credential = request.META["HTTP_AUTHORIZATION"].removeprefix(_PREFIX)
    else:
        credential = request.COOKIES[site.session_cookie]
    session = look_up_session(credential, transport=Transport(kind))
    if session is None or session.user is None or session.rotates:
        return None
    body = me_body(session.user, session.facts)
    return EarlyAnswer(body=body, session=str(session.pk), subject=str(identity_of(session.user).subject_id))


def _harmless_cookies() -> set[str]:
    """Return the names of the cookies that change nothing in the answer, beside the credential."""
    return {site.session_cookie, site.csrf_cookie, core.DEVICE_COOKIE}


SESSION_CHECK = Endpoint(
    url_name="core-api:me", methods=frozenset({"GET", "HEAD"}), kind_of=kind_of, answer=answer, write=json_body
)
