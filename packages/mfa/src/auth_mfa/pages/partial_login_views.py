"""The page that asks for the second factor after a login by the site's own view."""

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import Resolver404, get_script_prefix, resolve
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from auth_core.contracts import Purpose, Transport
from auth_core.login.browser import browser_secret_or_new
from auth_core.login.journey import open_login
from auth_core.pages.base import Page, safe_next, see_other
from auth_core.pages.forms import PageForm
from auth_core.pages.login_views import went_on
from auth_core.request.client import client_of
from auth_mfa.conf import site_landing_url, site_login_url
from auth_mfa.site_login.partial_login import PartialLogin, partial_login_in, partial_login_user_of


class ProvePage(Page):
    """``/account/second-factors/prove/``: a button that begins the challenge on the page of answers.

    A link begins nothing. Otherwise another site could make this one send texts and mails.
    """

    template_name = "auth_mfa/prove.html"
    title, button = _("Confirm it's you"), _("Continue")
    lead = _("Your account is protected by a second factor. You need it to finish signing in.")

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Redirect users who are signed in to their destination, and others without a partial login to the login."""
        if partial_login_in(request.session) is not None:
            return super().answer(request, *args, **kwargs)
        if request.user.is_authenticated:
            return see_other(_onward(request))
        return see_other(f"{_login_page()}?{urlencode({'next': _onward(request)})}")

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Begin the challenge, or sign out of the wrong account."""
        if "leave" in request.POST:
            request.session.flush()
            return see_other(_login_page())
        return super().post(request, **kwargs)

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Open a login with the evidence of the site's own login, and ask for the rest."""
        partial_login: PartialLogin | None = partial_login_in(request.session)
        person = partial_login_user_of(request.session)
        if partial_login is None or person is None:
            return see_other(_login_page())
        secret = browser_secret_or_new(request)
        onward = _onward(request)
        outcome = open_login(
            user=person,
            evidence=partial_login.evidence,
            purpose=Purpose.LOGIN,
            transport=Transport.COOKIE,
            client=client_of(request),
            browser_secret=secret,
            continue_to=onward,
        )
        return went_on(request, outcome, onward, secret)

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page with the user name, because the browser may be shared."""
        person = partial_login_user_of(request.session)
        name = "" if person is None else person.get_username()
        return super().show(request, form, status=status, username=name, **context)


def _onward(request: HttpRequest) -> str:
    return safe_next(request, request.GET.get("next", "")) or _page(site_landing_url(), otherwise="core-pages:account")


def _login_page() -> str:
    return _page(site_login_url(), otherwise="core-pages:login")


def _page(name: str, *, otherwise: str) -> str:
    """Return the URL of the site's own page, or of ours if no route of the site matches it."""
    address = resolve_url(name)
    parts = urlsplit(address)
    try:
        # If the site is mounted below a path, its URLs include the path and its routes do not.
        exists = bool(parts.netloc or resolve(parts.path.removeprefix(get_script_prefix().rstrip("/"))))
    except Resolver404:
        exists = False
    return address if exists else resolve_url(otherwise)
