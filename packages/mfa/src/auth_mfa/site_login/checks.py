"""System checks for the middleware of a site with its own login."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.views import LoginView
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's name
from django.core.exceptions import ImproperlyConfigured
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, Resolver404, resolve
from django.utils.module_loading import import_string

from auth_core.checks import has_url
from auth_core.login.django_session import OpenDjangoSession
from auth_core.login.plugins import grant_issuer
from auth_mfa.conf import site_login_url, site_middleware
from auth_mfa.site_login.middleware import PROVE_PAGE, SecondFactorMiddleware

_PATH = "auth_mfa.site_login.middleware.SecondFactorMiddleware"

#: The page that the middleware redirects to, and the page of the code.
_PAGES = (PROVE_PAGE, "core-pages:answer")


@register()
def check_order(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a position where the middleware sees no user, or where Django's own undoes its work."""
    middleware = [_import(path) for path in site_middleware()]
    ours = _index_of(SecondFactorMiddleware, middleware)
    if ours is None:
        return []
    djangos = _index_of(AuthenticationMiddleware, middleware)
    if djangos is not None and djangos < ours:
        return []
    hint = f"Put {_PATH!r} after 'django.contrib.auth.middleware.AuthenticationMiddleware' in MIDDLEWARE."
    message = "SecondFactorMiddleware does not come after Django's AuthenticationMiddleware."
    return [Error(message, hint=hint, id="auth_mfa.E010")]


@register()
def check_pages(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a site without the pages that ask for the second factor."""
    if _index_of(SecondFactorMiddleware, [_import(path) for path in site_middleware()]) is None:
        return []
    hint = "Include 'auth_core.pages.urls' and 'auth_mfa.pages.urls' in the site's URLconf."
    return [
        Error(f"SecondFactorMiddleware needs the page {name!r}, which is missing.", hint=hint, id="auth_mfa.E011")
        for name in _PAGES
        if not has_url(name)
    ]


@register()
def check_login_of_the_site(**kwargs: Any) -> list[CheckMessage]:
    """Warn if Django's own login opens sessions without a second factor."""
    if _index_of(SecondFactorMiddleware, [_import(path) for path in site_middleware()]) is not None:
        return []
    if not _has_djangos_sessions():
        return []
    hint = f"Add {_PATH!r} to MIDDLEWARE after Django's AuthenticationMiddleware, or use the login of auth_core."
    return [
        Warning(f"{page} is Django's own login, which asks for no second factor.", hint=hint, id="auth_mfa.W010")
        for page in _logins_of_django()
    ]


def _has_djangos_sessions() -> bool:
    """Return whether sessions are Django's own. Another check reports a grant issuer that cannot be imported."""
    try:
        return isinstance(grant_issuer(), OpenDjangoSession)
    except ImportError:
        return False


def _logins_of_django() -> list[str]:
    """Return the URLs of this site where Django's own views sign users in."""
    pages = {_address_of(site_login_url()), _address_of("admin:login")}
    return sorted(page for page in pages if page and _is_djangos(page))


def _is_djangos(page: str) -> bool:
    try:
        view = resolve(page).func
    except Resolver404:
        return False
    kind = getattr(view, "view_class", None)
    if isinstance(kind, type):
        # A subclass with its own `form_valid` may use our login.
        return issubclass(kind, LoginView) and kind.form_valid is LoginView.form_valid
    return getattr(view, "__func__", None) is AdminSite.login


def _address_of(name: str) -> str:
    try:
        return resolve_url(name)
    except (NoReverseMatch, ImproperlyConfigured):
        return ""


def _import(path: str) -> Any:
    """Return the object at *path*, or ``None``. Django itself reports paths that cannot be imported."""
    try:
        return import_string(path)
    except ImportError:
        return None


def _index_of(kind: type, middleware: list[Any]) -> int | None:
    matches = (index for index, other in enumerate(middleware) if isinstance(other, type) and issubclass(other, kind))
    return next(matches, None)
