"""What a site with our middleware may have got wrong."""

from typing import Any

import pytest
from django.core.checks import run_checks

from partial_login_site import DJANGOS, OURS

pytestmark = pytest.mark.usefixtures("partial_login_site")


def found(*ids: str) -> list[str]:
    return [message.id for message in run_checks() if message.id in ids]


def test_the_right_order_is_no_mistake() -> None:
    assert found("auth_mfa.E010", "auth_mfa.E011", "auth_mfa.W010") == []


@pytest.mark.parametrize("kept", [[OURS, DJANGOS], [OURS]])
def test_the_middleware_before_djangos_or_without_it_is_refused(settings: Any, kept: list[str]) -> None:
    settings.MIDDLEWARE = ["django.contrib.sessions.middleware.SessionMiddleware", *kept]

    assert found("auth_mfa.E010") == ["auth_mfa.E010"]


def test_the_middleware_without_its_pages_is_refused(settings: Any) -> None:
    settings.ROOT_URLCONF = "urls"

    assert found("auth_mfa.E011") == ["auth_mfa.E011"] * 2


def test_djangos_own_logins_without_the_middleware_are_warned_of(settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != OURS]

    assert found("auth_mfa.W010") == ["auth_mfa.W010"] * 2


def test_a_site_whose_login_is_ours_is_not_warned(settings: Any) -> None:
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != OURS]
    settings.ROOT_URLCONF = "urls"

    assert found("auth_mfa.W010") == []
