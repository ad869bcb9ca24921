"""The middleware of a site whose login is not ours: whoever is half in is nobody yet."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit, urlunsplit

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.contrib.auth import SESSION_KEY, get_user
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.http import urlencode

from auth_core.pages.base import HTTP_SEE_OTHER, safe_next
from auth_mfa.conf import site_login_url
from auth_mfa.site_login import partial_login

#: Where the second factor is proved.
PROVE_PAGE = "mfa-pages:prove"

#: Pages of login that may be there beside the site's own.
_LOGIN_PAGES = ("pages:login", "admin:login")


class SecondFactorMiddleware:
    """Keeps ``request.user`` anonymous from the first factor until the second is proved; stands after Django's.

    ``request.partial_login_user`` is the person meanwhile, else ``None``. Sessions are judged before
    the view, because they may be older than this middleware; when all other middleware had
    their turn, because some of it signs people in; and after the view, which may have.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        #: Called by Django before the view; a plain function would cost an async site a thread for each request.
        self.process_view = self._judge_async if self._is_async else self._judge

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Handle *request*, with whoever is half in kept out."""
        if self._is_async:
            return self._handle(request)
        _before(request)
        return _after(request, self._get_response(request))

    async def _handle(self, request: HttpRequest) -> HttpResponseBase:
        await _load(request)
        # A thread only where there may be something to ask the database.
        if _has_work(request):
            await sync_to_async(_before)(request)
        response: HttpResponseBase = await self._get_response(request)
        await _load(request)
        if _has_work(request) or request.partial_login_user is not None:  # type: ignore[attr-defined]  # of ours
            return await sync_to_async(_after)(request, response)
        return response

    def _judge(self, request: HttpRequest, *view: Any) -> None:
        """Judge whom another middleware has signed in, before the view is called."""
        _settle(request, proved_at=timezone.now())

    async def _judge_async(self, request: HttpRequest, *view: Any) -> None:
        await _load(request)
        if _has_work(request):
            await sync_to_async(self._judge)(request)


async def _load(request: HttpRequest) -> None:
    """Read the session, if the browser has one, so that looking at it asks nobody afterwards."""
    if not hasattr(request, "partial_login_user"):
        _set_partial_login_user(request, None)
    if not request.session.is_empty():
        await request.session.aget(SESSION_KEY)


def _has_work(request: HttpRequest) -> bool:
    session = request.session
    return not session.is_empty() and (hasattr(session, "facts") or not partial_login.is_settled(session))


def _before(request: HttpRequest) -> None:
    """Judge a session that came with the request."""
    _set_partial_login_user(request, None)
    if not _has_work(request):
        return
    if not _settle(request, proved_at=None):
        _set_partial_login_user(request, partial_login.partial_login_user_of(request.session))


def _after(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Judge whom the view signed in, and lead whoever is half in to the page of the second factor."""
    is_new = _settle(request, proved_at=timezone.now())
    person = getattr(request, "partial_login_user", None)
    if person is None:
        return response
    if partial_login.partial_login_in(request.session) is None:
        # The view has signed them out, or our own page has let them in.
        _set_partial_login_user(request, None)
        return response
    return _led(request, response, is_new=is_new)


def _settle(request: HttpRequest, *, proved_at: datetime | None) -> bool:
    """Judge whoever is in the session, unless it says what they proved; say whether they were parked.

    Whoever the session of a request names only after `_before` has signed in during it.
    """
    session = request.session
    if not _has_work(request):
        return False
    partial_login.tidy(session)
    if not partial_login.is_unjudged(session):
        return False
    person = get_user(request)
    if not person.is_authenticated or not partial_login.judge(session, person, proved_at=proved_at):
        return False
    request.user = AnonymousUser()
    request.auser = _nobody
    _set_partial_login_user(request, partial_login.partial_login_user_of(session))
    return True


def _set_partial_login_user(request: HttpRequest, person: Any) -> None:
    request.partial_login_user = person  # type: ignore[attr-defined]  # it is ours to put there


async def _nobody() -> AnonymousUser:
    return AnonymousUser()


def _led(request: HttpRequest, response: HttpResponseBase, *, is_new: bool) -> HttpResponseBase:
    """Lead a redirect to our page: that of a login that is half done, and that to a login."""
    wanted = response.headers.get("Location", "")
    if not 300 <= response.status_code < 400 or not wanted:  # noqa: PLR2004 - the redirects of RFC 9110 section 15.4
        return response
    address = _within_site(request, wanted)
    if _is_login(wanted) or _is_login(address):
        address = parse_qs(urlsplit(wanted).query).get("next", [""])[0]
    elif not is_new:
        return response
    onward = safe_next(request, _within_site(request, address))
    # The same response, because it carries the cookies that the view has set.
    response.status_code = HTTP_SEE_OTHER
    response.headers["Location"] = reverse(PROVE_PAGE) + (f"?{urlencode({'next': onward})}" if onward else "")
    return response


def _within_site(request: HttpRequest, address: str) -> str:
    """Return *address* as a path of this site; empty: it is none."""
    parts = urlsplit(urljoin(request.build_absolute_uri(), address))
    is_ours = bool(address) and parts.netloc == request.get_host()
    return urlunsplit(("", "", parts.path, parts.query, parts.fragment)) if is_ours else ""


def _is_login(address: str) -> bool:
    pages = (_address_of(name) for name in (site_login_url(), *_LOGIN_PAGES))
    return address.partition("?")[0] in {page.partition("?")[0] for page in pages if page}


def _address_of(name: str) -> str:
    """Return the address of a page; empty: there is none here."""
    try:
        return resolve_url(name)
    except NoReverseMatch:
        return ""
