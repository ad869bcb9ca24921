"""What the packages need of a user, whichever user model the site has."""

from collections.abc import Iterable
from typing import Any, Protocol


class UserLike(Protocol):
    """A user of any model that extends Django's ``AbstractBaseUser``, or ``AnonymousUser``.

    Code reads optional fields, such as ``is_staff`` or a display name, with ``getattr`` and a default.
    """

    @property
    def pk(self) -> Any:
        """The primary key, of the type that the site's model has. ``None`` if the user is anonymous."""

    @property
    def is_active(self) -> bool:
        """Whether the account is enabled."""

    @property
    def is_authenticated(self) -> bool:
        """Whether this is an account, and not ``AnonymousUser``."""

    @property
    def is_anonymous(self) -> bool:
        """Whether this is ``AnonymousUser``."""

    def get_username(self) -> str:
        """Return the value of ``USERNAME_FIELD``."""


class AccountLike(UserLike, Protocol):
    """A user with a password: any model that extends Django's ``AbstractBaseUser``."""

    #: The hash of the password.
    password: str
    #: The dotted path of the authentication backend that proved this user. Missing before a login.
    backend: str

    def check_password(self, raw_password: str | None, /) -> bool:
        """Return whether *raw_password* is correct. An outdated hash is replaced."""

    def has_usable_password(self) -> bool:
        """Return whether the account can sign in with a password."""

    def get_session_auth_hash(self) -> str:
        """Return the digest of the password that sessions are bound to."""

    def get_session_auth_fallback_hash(self) -> Iterable[str]:
        """Yield the same digest for older values of ``SECRET_KEY``."""

    def get_deferred_fields(self) -> set[str]:
        """Return the names of the fields that are not loaded."""

    @classmethod
    def get_email_field_name(cls) -> str:
        """Return the name of the model's field for the email address."""

    def save(self, *, force_insert: bool = False, update_fields: Iterable[str] | None = None) -> None:
        """Write the row."""
