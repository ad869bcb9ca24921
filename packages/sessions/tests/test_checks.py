"""System checks of the settings."""

from datetime import timedelta
from typing import Any

import pytest

from auth_sessions import checks
from auth_sessions.conf import sessions


def test_a_missing_shared_cache_is_reported(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "REDIS_URL": ""}
    assert [message.id for message in checks.check_snapshots()] == ["auth_sessions.W001"]

    settings.AUTH_SESSIONS = {"REDIS_URL": "redis://127.0.0.1:6379/0"}
    assert checks.check_snapshots() == []


@pytest.mark.parametrize(
    ("setting", "check"), [({"LIFETIME": 1}, "E001"), ({"LIFETIMES": {"aal1": (timedelta(0), timedelta(0))}}, "E002")]
)
def test_invalid_settings_are_reported(setting: dict[str, Any], check: str, settings: Any) -> None:
    settings.AUTH_SESSIONS = setting

    ids = {message.id for message in (*checks.check_settings(), *checks.check_lifetimes())}

    assert f"auth_sessions.{check}" in ids


@pytest.mark.asvs("7.1.1")
def test_default_lifetimes_are_within_the_nist_limits() -> None:
    idle_of, absolute_of = ({acr: pair[part] for acr, pair in sessions.LIFETIMES.items()} for part in (0, 1))

    assert absolute_of["aal1"] <= timedelta(days=30)
    assert (idle_of["aal2"], absolute_of["aal2"]) <= (timedelta(hours=1), timedelta(hours=24))
    assert (idle_of["aal3"], absolute_of["aal3"]) <= (timedelta(minutes=15), timedelta(hours=12))


def test_the_engine_without_its_middleware_is_reported(settings: Any) -> None:
    assert checks.check_middleware() == []

    settings.MIDDLEWARE = [name.replace("auth_sessions", "django.contrib.auth") for name in settings.MIDDLEWARE]
    (error,) = checks.check_middleware()

    assert (error.id, error.is_serious()) == ("auth_sessions.E005", True)
    assert "auth_sessions.middleware.AuthenticationMiddleware" in str(error.hint)
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    assert checks.check_middleware() == []
