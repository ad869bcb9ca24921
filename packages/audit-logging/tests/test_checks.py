"""System checks of the site around the trail."""

from typing import Any

from auth_audit.checks import check_middleware


def test_an_admin_whose_changes_are_not_recorded_is_reported(settings: Any) -> None:
    assert check_middleware() == []

    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "AdminChanges" not in name]
    (error,) = check_middleware()

    assert (error.id, error.is_serious()) == ("auth_audit.E005", True)
    assert "auth_audit.middleware.AdminChangesMiddleware" in str(error.hint)


def test_a_site_without_the_admin_needs_no_middleware_for_it(settings: Any) -> None:
    settings.MIDDLEWARE = []
    settings.INSTALLED_APPS = [name for name in settings.INSTALLED_APPS if name != "django.contrib.admin"]

    assert check_middleware() == []
