"""The system checks of the middleware."""

from typing import Any

import pytest
from django.core.checks import run_checks

from partial_login_site import DJANGOS, OURS

pytestmark = pytest.mark.usefixtures("partial_login_site")


def messages_with(*ids: str) -> list[str]:
    return [message.id for message in run_checks() if message.id in ids]


def test_the_correct_order_passes() -> None:
    assert messages_with("auth_mfa.E010", "auth_mfa.E011", "auth_mfa.W010") == []


@pytest.mark.parametrize("kept", [[OURS, DJANGOS], [OURS]])
def test_the_middleware_must_come_after_djangos(settings: Any, kept: list[str]) -> None:
    settings.MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", *kept]

    assert messages_with("auth_mfa.E010") == ["auth_mfa.E010"]


def test_the_middleware_needs_its_pages(settings: Any) -> None:
    settings.ROOT_URLCONF = "urls"

    assert messages_with("auth_mfa.E011") == ["auth_mfa.E011"] * 2


def test_djangos_own_logins_without_the_middleware_give_a_warning(settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != OURS]

    assert messages_with("auth_mfa.W010") == ["auth_mfa.W010"] * 2


def test_a_site_with_our_login_gets_no_warning(settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != OURS]
    settings.ROOT_URLCONF = "urls"

    assert messages_with("auth_mfa.W010") == []
