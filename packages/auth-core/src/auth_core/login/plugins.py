"""The configured plugins of a login. All code gets them from here."""

from functools import lru_cache
from typing import Any

from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from auth_core.conf import core
from auth_core.contracts import GrantIssuer, LoginStep, RiskAssessor
from auth_core.login.password_step import Password


def grant_issuer() -> GrantIssuer:
    """Return the configured `GrantIssuer`."""
    issuer: GrantIssuer = _load_plugin(core.GRANT_ISSUER)
    return issuer


def risk_assessor() -> RiskAssessor:
    """Return the configured `RiskAssessor`."""
    assessor: RiskAssessor = _load_plugin(core.RISK_ASSESSOR)
    return assessor


def login_steps() -> list[LoginStep]:
    """Return the login steps in order. The password of a step-up is always among them."""
    return [Password(), *(_load_plugin(path) for path in core.LOGIN_STEPS)]


@lru_cache(maxsize=32)
def _load_plugin(path: str) -> Any:
    return import_string(path)()


def _clear_plugin_cache(*, setting: str, **kwargs: Any) -> None:
    if setting == core.setting:
        _load_plugin.cache_clear()


setting_changed.connect(_clear_plugin_cache, dispatch_uid="auth_core.login.plugins")
