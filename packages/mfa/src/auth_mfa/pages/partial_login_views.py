"""The second factor of whoever is half in: what the site's own login has not asked."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import Resolver404, get_script_prefix, resolve
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from auth_core.contracts import Purpose, Transport
from auth_core.login.browser import browser_secret_of, new_browser_secret
from auth_core.login.journey import open_login
from auth_core.pages.base import Page, safe_next, see_other
from auth_core.pages.forms import PageForm
from auth_core.pages.login_views import went_on
from auth_core.request.client import client_of
from auth_mfa.conf import site_landing_url, site_login_url
from auth_mfa.site_login.partial_login import PartialLogin, partial_login_in, partial_login_user_of


class ProvePage(Page):
    """``/account/second-factors/prove/``: a button; what it begins is asked on the page of answers.

    A link begins nothing: opened by a stranger's page it would have texts and mails sent.
    """

    template_name = "auth_mfa/prove.html"
    title, button = _("One more proof"), _("Go on")
    lead = _("Your password was right. Your account is protected by a second factor, which is asked for now.")

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Send on whoever is in already, and to the site's login whoever is not even half in."""
        if partial_login_in(request.session) is not None:
            return super().answer(request, *args, **kwargs)
        if request.user.is_authenticated:
            return see_other(_onward(request))
        return see_other(f"{_login_page()}?{urlencode({'next': _onward(request)})}")

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Begin, or let go whoever is at the wrong account."""
        if "leave" in request.POST:
            request.session.flush()
            return see_other(_login_page())
        return super().post(request, **kwargs)

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Open a login that has proved what the site's own saw, and ask for the rest."""
        parked: PartialLogin | None = partial_login_in(request.session)
        person = partial_login_user_of(request.session)
        if parked is None or person is None:
            return see_other(_login_page())
        secret = browser_secret_of(request) or new_browser_secret()
        onward = _onward(request)
        outcome = open_login(
            user=person,
            evidence=parked.evidence,
            purpose=Purpose.LOGIN,
            transport=Transport.COOKIE,
            client=client_of(request),
            browser_secret=secret,
            continue_to=onward,
        )
        return went_on(request, outcome, onward, secret)

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page, with whose account it is: a browser may be shared."""
        person = partial_login_user_of(request.session)
        name = "" if person is None else person.get_username()
        return super().show(request, form, status=status, username=name, **context)


def _onward(request: HttpRequest) -> str:
    return safe_next(request, request.GET.get("next", "")) or _page(site_landing_url(), otherwise="pages:account")


def _login_page() -> str:
    return _page(site_login_url(), otherwise="pages:login")


def _page(name: str, *, otherwise: str) -> str:
    """Return the address of the site's own page; that of ours where nothing of the site answers there."""
    address = resolve_url(name)
    parts = urlsplit(address)
    try:
        # Where the site is mounted below a path, its addresses begin with it and its routes do not.
        is_there = bool(parts.netloc or resolve(parts.path.removeprefix(get_script_prefix().rstrip("/"))))
    except Resolver404:
        is_there = False
    return address if is_there else resolve_url(otherwise)
