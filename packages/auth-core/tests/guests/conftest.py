"""The people of a site, made as the site makes them: without any function of auth_core."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model

from auth_core.people.user_columns import address_fields
from auth_core.testing.factories import PASSWORD

#: Makes a user of the site: name, email address, further columns.
Make = Callable[..., Any]

_NUMBERS = {"alice": "491701", "bob": "491702", "carol": "491703", "root": "491704"}


def columns_of(name: str, email: str) -> dict[str, Any]:
    """Return the columns that identify a user called *name*."""
    return {
        "auth.User": {"username": name, "email": email},
        "by_email.Member": {"email": email},
        "by_phone.Caller": {"phone": f"+{_NUMBERS[name]}"},
        "by_handle.Player": {"handle": name},
        "club.Fellow": {"number": int(_NUMBERS[name]), "contact": email},
    }[settings.AUTH_USER_MODEL]


@pytest.fixture
def make(db: None) -> Make:
    def made(name: str, email: str = "", **columns: Any) -> Any:
        identifying = columns_of(name, email or f"{name}@example.org")
        return get_user_model().objects.create_user(**identifying, password=PASSWORD, **columns)

    return made


@pytest.fixture
def alice(make: Make) -> Any:
    return make("alice")


@pytest.fixture
def name_of_alice(alice: Any) -> str:
    return str(alice.get_username())


def pytest_configure(config: pytest.Config) -> None:
    for marker in ("addresses", "shared", "staff", "disabling", "creatable"):
        config.addinivalue_line("markers", f"{marker}: needs a user model that has it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the visits that make no sense for the user model."""
    model = get_user_model()
    fields = {field.name for field in model._meta.get_fields()}
    has = {
        "addresses": bool(address_fields()),
        "shared": bool(address_fields()) and not address_fields()[0].unique,
        "staff": "is_staff" in fields,
        "disabling": "is_active" in fields,
        "creatable": settings.AUTH_USER_MODEL in ("auth.User", "by_email.Member"),
    }
    deselected = [item for item in items if any(item.get_closest_marker(name) and not has[name] for name in has)]
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if item not in deselected]
