"""System checks."""

from datetime import timedelta
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, register

from auth_core.assurance import Assurance
from auth_sessions.conf import ENGINE, Lifetime, sessions

_LONGEST_SNAPSHOT = timedelta(seconds=60)


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse keys of ``AUTH_SESSIONS`` that nobody reads."""
    return sessions.unknown_key_errors("auth_sessions.E001")


@register()
def check_lifetimes(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to open sessions that nobody said the end of, or that would be over at once."""
    wrong = [level.acr for level in Assurance if not _is_lifetime(sessions.LIFETIMES.get(level.acr))]
    return [
        Error(
            f"AUTH_SESSIONS['LIFETIMES'][{acr!r}] must be two timedeltas: idle, and absolute, not shorter.",
            id="auth_sessions.E002",
        )
        for acr in wrong
    ]


@register()
def check_snapshot_lifetime(**kwargs: Any) -> list[CheckMessage]:
    """Refuse snapshots that outlive what a lost database may hide (DESIGN section 7)."""
    if timedelta(0) < sessions.SNAPSHOT_LIFETIME <= _LONGEST_SNAPSHOT:
        return []
    return [
        Error(
            "AUTH_SESSIONS['SNAPSHOT_LIFETIME'] must be above 0, and 60 seconds at the most.", id="auth_sessions.E003"
        )
    ]


@register()
def check_engine(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to open cookie sessions that the site's engine does not know: a login would seem to do nothing."""
    if sessions.opens_cookies_for in {"", ENGINE}:
        return []
    return [
        Error(
            f"Logins open sessions of auth_sessions, and SESSION_ENGINE is {sessions.opens_cookies_for!r}.",
            hint=f"Set SESSION_ENGINE = {ENGINE!r}.",
            id="auth_sessions.E004",
        )
    ]


@register()
def check_snapshots(**kwargs: Any) -> list[CheckMessage]:
    """Say that every request asks the database: a cache of one process would show what another has ended."""
    if sessions.cache_url:
        return []
    return [
        checks.Warning(
            "Sessions are read from the database with every request: there is no shared cache.",
            hint="Set AUTH_SESSIONS['REDIS_URL'] or AUTH_CORE['REDIS_URL'], or silence this where it is meant.",
            id="auth_sessions.W001",
        )
    ]


def _is_lifetime(given: Lifetime | None) -> bool:
    return given is not None and timedelta(0) < given[0] <= given[1]
