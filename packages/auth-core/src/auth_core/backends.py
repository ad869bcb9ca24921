"""The authentication backend: an identifier and a password."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_backends
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from auth_core.passwords import hashing
from auth_core.people import lookup


class IdentifierBackend(ModelBackend):
    """Finds a person by address or username, with the same work whether or not there is one.

    It does not look at ``is_active``: whether somebody may be here is `admission`'s
    to say, after the same work as for everybody else (ASVS 6.3.8).
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return whom *username* and *password* prove, or ``None``."""
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
        """Do the same in a thread: Django's own hashes in the event loop, and finds nobody by a proven address."""
        return await sync_to_async(self.authenticate)(request, username=username, password=password, **kwargs)


def backend_knowing(user: Any) -> str:
    """Return the dotted path of the first backend that knows *user*: some only answer what people may do.

    For whoever was proved by something that is no backend's business, such as a passkey.
    """
    backends = get_backends()
    found = next((backend for backend in backends if backend.get_user(user.pk) is not None), backends[0])
    return f"{type(found).__module__}.{type(found).__qualname__}"
