"""The authentication backend: an identifier and a password."""

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_backends, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from auth_core.passwords import hashing
from auth_core.people import lookup
from auth_core.people.admission import NotAdmitted, admit, is_asked_afterwards
from auth_core.users import UserLike


class IdentifierBackend(ModelBackend):
    """Finds a user by address or username. An unknown identifier costs the same work.

    A disabled or locked account is refused after the same work as every other one (ASVS 6.3.8), also when a view of the
    site calls Django's `authenticate`.
    """

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the user that *username* and *password* prove, or ``None``.

        As in Django, the name of ``USERNAME_FIELD`` is accepted in place of *username*.

        Raises:
            PermissionDenied: the account is disabled or locked. Django then asks no other backend, which would not know
                of the lock.
        """
        identifier = kwargs.get(get_user_model().USERNAME_FIELD) if username is None else username
        if identifier is None or password is None:
            return None
        user = lookup.find_by_identifier(str(identifier))
        if not hashing.verify(user, password):
            return None
        if not is_asked_afterwards() and not self.user_can_authenticate(user):
            raise PermissionDenied
        return user

    def user_can_authenticate(self, user: Any) -> bool:
        """Return whether *user* is admitted. Otherwise their sessions are anonymous, too."""
        try:
            admit(user)
        except NotAdmitted:
            return False
        return True

    def get_user(self, user_id: Any) -> Any:
        """Return the user of a session of Django, or ``None`` if they are not admitted. Makes one query."""
        user = get_user_model()._default_manager.select_related("auth_identity").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None

    async def aget_user(self, user_id: Any) -> Any:
        """Run `get_user` in a thread. Django's version does not know of a lock."""
        return await sync_to_async(self.get_user)(user_id)

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

    For a person proved without a backend, such as by a passkey. Some backends only answer about permissions, and have no
    `get_user`.
    """
    backends = [backend for backend in get_backends() if hasattr(backend, "get_user")]
    chosen = next((backend for backend in backends if backend.get_user(user.pk) is not None), backends[0])
    return f"{type(chosen).__module__}.{type(chosen).__qualname__}"
