"""The middleware of a site with its own login. It keeps users anonymous until their second factor is proved."""

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
from auth_core.users import UserLike
from auth_mfa.conf import site_login_url
from auth_mfa.site_login import partial_login

#: The page that asks for the second factor.
PROVE_PAGE = "mfa-pages:prove"

#: Login pages that a site may have beside its own.
_LOGIN_PAGES = ("core-pages:login", "admin:login")


class SecondFactorMiddleware:
    """Keep ``request.user`` anonymous from the first factor until the second is proved.

    It comes after Django's `AuthenticationMiddleware`. ``request.partial_login_user`` is the
    user meanwhile, else ``None``. The session is checked three times: when the request
    arrives, because the session may be older than this middleware; before the view, because
    other middleware may sign users in; and after the view, which may do so too.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)
        #: Django calls it before the view. A plain function would cost an async site a thread for each request.
        self.process_view = self._judge_async if self._is_async else self._judge

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Handle *request*, with the user of a partial login kept anonymous."""
        if self._is_async:
            return self._handle(request)
        _before(request)
        return _after(request, self._get_response(request))

    async def _handle(self, request: HttpRequest) -> HttpResponseBase:
        await _load(request)
        # Use a thread only if the database may be queried.
        if _has_work(request):
            await sync_to_async(_before)(request)
        response: HttpResponseBase = await self._get_response(request)
        await _load(request)
        if _has_work(request) or request.partial_login_user is not None:  # type: ignore[attr-defined]  # of ours
            return await sync_to_async(_after)(request, response)
        return response

    def _judge(self, request: HttpRequest, *view: Any) -> None:
        """Check users that another middleware has signed in, before the view is called."""
        _settle(request, proved_at=timezone.now())

    async def _judge_async(self, request: HttpRequest, *view: Any) -> None:
        await _load(request)
        if _has_work(request):
            await sync_to_async(self._judge)(request)


async def _load(request: HttpRequest) -> None:
    """Load the session, if the browser has one, so that later reads need no query."""
    if not hasattr(request, "partial_login_user"):
        _set_partial_login_user(request, None)
    if not request.session.is_empty():
        await request.session.aget(SESSION_KEY)


def _has_work(request: HttpRequest) -> bool:
    session = request.session
    return not session.is_empty() and (hasattr(session, "facts") or not partial_login.is_settled(session))


def _before(request: HttpRequest) -> None:
    """Check the session that came with the request."""
    _set_partial_login_user(request, None)
    if not _has_work(request):
        return
    if not _settle(request, proved_at=None):
        _set_partial_login_user(request, partial_login.partial_login_user_of(request.session))


def _after(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Check users that the view signed in, and redirect partial logins to the page of the second factor."""
    is_new = _settle(request, proved_at=timezone.now())
    person = getattr(request, "partial_login_user", None)
    if person is None:
        return response
    if partial_login.partial_login_in(request.session) is None:
        # The view has signed the user out, or our own page has completed the login.
        _set_partial_login_user(request, None)
        return response
    return _redirected(request, response, is_new=is_new)


def _settle(request: HttpRequest, *, proved_at: datetime | None) -> bool:
    """Check a session that does not record its proof. Return whether it became a partial login.

    A user who appears in the session only after `_before` has signed in during this request.
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
    request.auser = _anonymous
    _set_partial_login_user(request, partial_login.partial_login_user_of(session))
    return True


def _set_partial_login_user(request: HttpRequest, person: UserLike | None) -> None:
    request.partial_login_user = person  # type: ignore[attr-defined]  # an attribute of ours


async def _anonymous() -> AnonymousUser:
    return AnonymousUser()


def _redirected(request: HttpRequest, response: HttpResponseBase, *, is_new: bool) -> HttpResponseBase:
    """Point a redirect after a new partial login, or a redirect to a login page, to our page."""
    location = response.headers.get("Location", "")
    if not 300 <= response.status_code < 400 or not location:  # noqa: PLR2004 - the redirects of RFC 9110 section 15.4
        return response
    address = _within_site(request, location)
    if _is_login(location) or _is_login(address):
        address = parse_qs(urlsplit(location).query).get("next", [""])[0]
    elif not is_new:
        return response
    onward = safe_next(request, _within_site(request, address))
    # The same response is kept because it carries the cookies of the view.
    response.status_code = HTTP_SEE_OTHER
    response.headers["Location"] = reverse(PROVE_PAGE) + (f"?{urlencode({'next': onward})}" if onward else "")
    return response


def _within_site(request: HttpRequest, address: str) -> str:
    """Return *address* as a path of this site, or an empty string if it is on another site."""
    parts = urlsplit(urljoin(request.build_absolute_uri(), address))
    is_ours = bool(address) and parts.netloc == request.get_host()
    return urlunsplit(("", "", parts.path, parts.query, parts.fragment)) if is_ours else ""


def _is_login(address: str) -> bool:
    pages = (_address_of(name) for name in (site_login_url(), *_LOGIN_PAGES))
    return address.partition("?")[0] in {page.partition("?")[0] for page in pages if page}


def _address_of(name: str) -> str:
    """Return the URL of a page, or an empty string if this site does not have it."""
    try:
        return resolve_url(name)
    except NoReverseMatch:
        return ""
