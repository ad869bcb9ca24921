"""System checks about the middleware of a site whose login is not ours."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.views import LoginView
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's name
from django.core.exceptions import ImproperlyConfigured
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils.module_loading import import_string

from auth_core.login.django_session import OpenDjangoSession
from auth_core.login.plugins import grant_issuer
from auth_mfa.conf import site_login_url, site_middleware
from auth_mfa.site_login.middleware import PROVE_PAGE, SecondFactorMiddleware

_PATH = "auth_mfa.site_login.middleware.SecondFactorMiddleware"

#: What our middleware leads to, and the page on which the code is typed.
_PAGES = (PROVE_PAGE, "pages:answer")


@register()
def check_order(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a place in which the middleware would judge nobody, or be undone by Django's own."""
    places = [_kind_of(path) for path in site_middleware()]
    ours = _place_of(SecondFactorMiddleware, places)
    if ours is None:
        return []
    djangos = _place_of(AuthenticationMiddleware, places)
    if djangos is not None and djangos < ours:
        return []
    hint = f"Put {_PATH!r} behind 'django.contrib.auth.middleware.AuthenticationMiddleware' in MIDDLEWARE."
    message = "The middleware of second factors does not stand after Django's AuthenticationMiddleware."
    return [Error(message, hint=hint, id="auth_mfa.E010")]


@register()
def check_pages(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to keep people out who have no page on which to prove more."""
    if _place_of(SecondFactorMiddleware, [_kind_of(path) for path in site_middleware()]) is None:
        return []
    hint = "Include 'auth_core.pages.urls' and 'auth_mfa.pages.urls' in the site's addresses."
    return [
        Error(f"Nobody can prove a second factor: there is no page {name!r}.", hint=hint, id="auth_mfa.E011")
        for name in _PAGES
        if not _exists(name)
    ]


@register()
def check_login_of_the_site(**kwargs: Any) -> list[CheckMessage]:
    """Warn where Django's own login opens sessions that nobody asks for a second factor."""
    if _place_of(SecondFactorMiddleware, [_kind_of(path) for path in site_middleware()]) is not None:
        return []
    if not _has_djangos_sessions():
        return []
    hint = f"Add {_PATH!r} to MIDDLEWARE, behind Django's AuthenticationMiddleware, or lead people to our login."
    return [
        Warning(f"{page} is Django's own login, which asks for no second factor.", hint=hint, id="auth_mfa.W010")
        for page in _logins_of_django()
    ]


def _has_djangos_sessions() -> bool:
    """Say whether sessions are Django's own; a slot that names nothing has an error of its own."""
    try:
        return isinstance(grant_issuer(), OpenDjangoSession)
    except ImportError:
        return False


def _logins_of_django() -> list[str]:
    """Return the addresses of this site at which Django itself signs people in."""
    pages = {_address_of(site_login_url()), _address_of("admin:login")}
    return sorted(page for page in pages if page and _is_djangos(page))


def _is_djangos(page: str) -> bool:
    try:
        view = resolve(page).func
    except Resolver404:
        return False
    kind = getattr(view, "view_class", None)
    if isinstance(kind, type):
        # A subclass that signs people in by itself may do it through our login.
        return issubclass(kind, LoginView) and kind.form_valid is LoginView.form_valid
    return getattr(view, "__func__", None) is AdminSite.login


def _address_of(name: str) -> str:
    try:
        return resolve_url(name)
    except (NoReverseMatch, ImproperlyConfigured):
        return ""


def _exists(name: str) -> bool:
    try:
        reverse(name)
    except NoReverseMatch:
        return False
    return True


def _kind_of(path: str) -> Any:
    """Return what *path* names; what cannot be imported Django refuses by itself."""
    try:
        return import_string(path)
    except ImportError:
        return None


def _place_of(kind: type, places: list[Any]) -> int | None:
    found = (place for place, other in enumerate(places) if isinstance(other, type) and issubclass(other, kind))
    return next(found, None)
