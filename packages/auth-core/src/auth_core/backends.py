"""The authentication backend: an identifier and a password."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_backends
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from auth_core.passwords import hashing
from auth_core.people import lookup
from auth_core.users import UserLike


class IdentifierBackend(ModelBackend):
    """Finds a user by address or username. An unknown identifier costs the same work.

    It does not check ``is_active``. `admission` refuses a disabled account after the same work
    as for every other account (ASVS 6.3.8).
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the user that *username* and *password* prove, or ``None``."""
        if username is None or password is None:
            return None
        user = lookup.find_by_identifier(username)
        return user if hashing.verify(user, password) else None

    async def aauthenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Run `authenticate` in a thread.

        Django's version hashes in the event loop and does not find proven addresses.
        """
        return await sync_to_async(self.authenticate)(request, username=username, password=password, **kwargs)


def backend_knowing(user: UserLike) -> str:
    """Return the dotted path of the first backend that knows *user*.

    For a person proved without a backend, such as by a passkey. Some backends only answer about permissions.
    """
    backends = get_backends()
    chosen = next((backend for backend in backends if backend.get_user(user.pk) is not None), backends[0])
    return f"{type(chosen).__module__}.{type(chosen).__qualname__}"
