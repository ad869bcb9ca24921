"""Factories for users of any ``AUTH_USER_MODEL``. They use the functions of the service, so no row is missing."""

from itertools import count
from typing import Any

from django.db import models

from auth_core.flows.account_creation import create_account

#: A password that is long enough for every setting and on no list of common passwords.
PASSWORD = "correct horse battery staple"  # noqa: S105 - used only in tests

_numbers = count(1)


def make_user(email: str = "", *, password: str = PASSWORD, verified: bool = True, **columns: Any) -> Any:
    """Create a user who signs in with *email* and *password*.

    Args:
        email: Defaults to an unused address.
        verified: Whether the address is verified.
        columns: Further columns of the site's user model.
    """
    email = email or f"person{next(_numbers)}@example.org"
    return _with(create_account(email=email, password=password, verified=verified), columns)


def make_administrator(email: str = "", *, password: str = PASSWORD, **columns: Any) -> Any:
    """Create a superuser. The arguments are those of `make_user`."""
    email = email or f"administrator{next(_numbers)}@example.org"
    return _with(create_account(email=email, password=password, verified=True, superuser=True), columns)


def _with(user: models.Model, columns: dict[str, Any]) -> Any:
    """Set *columns* one by one. An unknown column raises an error instead of being ignored."""
    for name, value in columns.items():
        user._meta.get_field(name)
        setattr(user, name, value)
    if columns:
        user.save(update_fields=list(columns))
    return user
