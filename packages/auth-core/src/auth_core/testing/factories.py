"""People to test with, whatever ``AUTH_USER_MODEL`` is; made as the service makes them, so nothing of them is missing."""

from itertools import count
from typing import Any

from auth_core.flows.account_creation import create_account

#: Long enough for every setting, and on no list of common ones.
PASSWORD = "correct horse battery staple"  # noqa: S105 - everybody's in tests, nobody's elsewhere

_numbers = count(1)


def make_user(email: str = "", *, password: str = PASSWORD, verified: bool = True, **columns: Any) -> Any:
    """Make somebody who signs in with *email* and *password*.

    Args:
        email: Left out: one that nobody has.
        verified: Whether the address counts as proven.
        columns: Further columns of the site's user model.
    """
    email = email or f"person{next(_numbers)}@example.org"
    return _with(create_account(email=email, password=password, verified=verified), columns)


def make_administrator(email: str = "", *, password: str = PASSWORD, **columns: Any) -> Any:
    """Make somebody who may do everything; arguments as in `make_user`."""
    email = email or f"administrator{next(_numbers)}@example.org"
    return _with(create_account(email=email, password=password, verified=True, superuser=True), columns)


def _with(user: Any, columns: dict[str, Any]) -> Any:
    """Set *columns* one by one: a column that the model does not have would be lost without a word."""
    for name, value in columns.items():
        user._meta.get_field(name)
        setattr(user, name, value)
    if columns:
        user.save(update_fields=list(columns))
    return user
