"""System checks for the proof of administrators. A demand that no one can meet stops the start."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's name
from django.urls import NoReverseMatch, reverse

from auth_core.administration import demanded, setting_problems
from auth_core.assurance.levels import Assurance
from auth_core.conf import core, site_middleware
from auth_core.people.lookup import SECOND_FACTORS_PART
from auth_core.registries import snapshot_parts

_CONTEXT = "auth_core.middleware.RequestContextMiddleware"
_MIDDLEWARE = "auth_core.pages.administration.AdministrationMiddleware"


@register()
def check_administration(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a demand that is malformed, that cannot be met, or that is not enforced."""
    problems: list[CheckMessage] = [
        Error(f"AUTH_CORE['ADMINISTRATION']: {problem}.", id="auth_core.E014") for problem in setting_problems()
    ]
    if problems or not core.ADMINISTRATION:
        return problems
    return [*_unattainable_demand(), *_missing_enforcement()]


@register(deploy=True)
def check_administration_is_guarded(**kwargs: Any) -> list[CheckMessage]:
    """Warn if the password alone gives access to administration."""
    needed = None if list(setting_problems()) else demanded()
    if needed is not None and needed >= Assurance.AAL2:
        return []
    hint = "Set it to {'assurance': 'aal2'} to require a recent second factor."
    message = "AUTH_CORE['ADMINISTRATION'] does not require a second factor of administrators."
    return [Warning(message, hint=hint, id="auth_core.W002")]


@register()
def check_rights_are_guarded(**kwargs: Any) -> list[CheckMessage]:
    """Warn if admin pages do not know the acting user. Staff could grant themselves rights they do not hold."""
    if not apps.is_installed("django.contrib.admin") or _CONTEXT in site_middleware():
        return []
    hint = f"Add {_CONTEXT!r} at the beginning of MIDDLEWARE."
    message = "Admin pages do not prevent administrators from granting rights that they do not hold."
    return [Warning(message, hint=hint, id="auth_core.W003")]


def _unattainable_demand() -> Iterator[CheckMessage]:
    needed = demanded()
    if needed is not None and needed >= Assurance.AAL2 and snapshot_parts.get(SECOND_FACTORS_PART) is None:
        message = f"AUTH_CORE['ADMINISTRATION'] requires {needed.acr}, but no installed app provides a second factor."
        hint = "Add 'auth_mfa' to INSTALLED_APPS and its step to AUTH_CORE['LOGIN_STEPS'], or remove the setting."
        yield Error(message, hint=hint, id="auth_core.E015")


def _missing_enforcement() -> Iterator[CheckMessage]:
    """Yield what is missing on the pages of an admin site. The API enforces the demand by itself."""
    if not apps.is_installed("django.contrib.admin"):
        return
    if _MIDDLEWARE not in site_middleware():
        message = "AUTH_CORE['ADMINISTRATION'] is set, but the admin site does not enforce it."
        hint = f"Add {_MIDDLEWARE!r} to MIDDLEWARE, after AuthenticationMiddleware."
        yield Error(message, hint=hint, id="auth_core.E016")
    if not _has_pages():
        message = "AUTH_CORE['ADMINISTRATION'] is set, but there is no page for reauthentication."
        yield Error(message, hint="Include 'auth_core.pages.urls' in the URLconf.", id="auth_core.E017")


def _has_pages() -> bool:
    try:
        reverse("pages:again")
    except NoReverseMatch:
        return False
    return True
