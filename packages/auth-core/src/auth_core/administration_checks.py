"""System checks of what administrators prove: a setting that nobody can meet must stop the start, not lock people out."""

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
    """Refuse a demand that is malformed, that nobody could meet, or that nothing asks for."""
    problems: list[CheckMessage] = [
        Error(f"AUTH_CORE['ADMINISTRATION']: {problem}.", id="auth_core.E014") for problem in setting_problems()
    ]
    if problems or not core.ADMINISTRATION:
        return problems
    return [*_unreachable(), *_unasked()]


@register(deploy=True)
def check_administration_is_guarded(**kwargs: Any) -> list[CheckMessage]:
    """Warn where whoever knows an administrator's password is one."""
    needed = None if list(setting_problems()) else demanded()
    if needed is not None and needed >= Assurance.AAL2:
        return []
    hint = "Set it to {'assurance': 'aal2'}: their second factor is asked for, and again when it was long ago."
    message = "AUTH_CORE['ADMINISTRATION'] lets administrators in with a password alone."
    return [Warning(message, hint=hint, id="auth_core.W002")]


@register()
def check_rights_are_guarded(**kwargs: Any) -> list[CheckMessage]:
    """Warn where no page of the admin knows who acts: staff could give themselves what they do not hold."""
    if not apps.is_installed("django.contrib.admin") or _CONTEXT in site_middleware():
        return []
    hint = f"Put {_CONTEXT!r} at the beginning of MIDDLEWARE."
    message = "The pages of the admin site are not kept from giving more than the administrator holds."
    return [Warning(message, hint=hint, id="auth_core.W003")]


def _unreachable() -> Iterator[CheckMessage]:
    needed = demanded()
    if needed is not None and needed >= Assurance.AAL2 and snapshot_parts.get(SECOND_FACTORS_PART) is None:
        message = f"AUTH_CORE['ADMINISTRATION'] demands {needed.acr}, and no app here offers a second factor."
        hint = "Add 'auth_mfa' to INSTALLED_APPS and its step to AUTH_CORE['LOGIN_STEPS'], or demand nothing."
        yield Error(message, hint=hint, id="auth_core.E015")


def _unasked() -> Iterator[CheckMessage]:
    """Look for what asks at the pages of an admin site; the API asks by itself."""
    if not apps.is_installed("django.contrib.admin"):
        return
    if _MIDDLEWARE not in site_middleware():
        message = "AUTH_CORE['ADMINISTRATION'] is set, and the admin site does not ask for it."
        hint = f"Add {_MIDDLEWARE!r} to MIDDLEWARE, after that of authentication."
        yield Error(message, hint=hint, id="auth_core.E016")
    if not _has_pages():
        message = "AUTH_CORE['ADMINISTRATION'] is set, and there is no page on which administrators prove again."
        yield Error(message, hint="Include 'auth_core.pages.urls' in the URLconf.", id="auth_core.E017")


def _has_pages() -> bool:
    try:
        reverse("pages:again")
    except NoReverseMatch:
        return False
    return True
