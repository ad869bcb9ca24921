"""What fills the slots of a login here: settings name it, and everybody asks this file."""

from functools import lru_cache
from typing import Any

from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from auth_core.conf import core
from auth_core.contracts import GrantIssuer, LoginStep, RiskAssessor
from auth_core.login.password_step import Password


def grant_issuer() -> GrantIssuer:
    """Return what turns a proved login into a grant here."""
    issuer: GrantIssuer = _slot(core.GRANT_ISSUER)
    return issuer


def risk_assessor() -> RiskAssessor:
    """Return what judges logins here."""
    assessor: RiskAssessor = _slot(core.RISK_ASSESSOR)
    return assessor


def login_steps() -> list[LoginStep]:
    """Return what logins have to go through here, in order; the password of a step-up is nobody's to leave out."""
    return [Password(), *(_slot(path) for path in core.LOGIN_STEPS)]


@lru_cache(maxsize=32)
def _slot(path: str) -> Any:
    return import_string(path)()


def _forget_slots(*, setting: str, **kwargs: Any) -> None:
    if setting == core.setting:
        _slot.cache_clear()


setting_changed.connect(_forget_slots, dispatch_uid="auth_core.login.plugins")
