"""Services: machine clients, such as OAuth applications, as callers and as subjects of decisions."""

from typing import Any
from uuid import UUID

from django.contrib.auth import get_backends
from django.core.exceptions import PermissionDenied

from auth_core.registries import holder_kinds

#: The name of the kind in `auth_core.registries.holder_kinds`.
SERVICE = "service"


class ServiceSubject:
    """A service that makes a request, or about which a decision is made. It holds its own assignments and nothing else.

    It has no groups, no permissions of Django or guardian, and is never a superuser. Like a user, an instance must not
    live longer than one request. It is not a user: it has no primary key, and cannot be the actor of a change.
    """

    is_anonymous = False
    is_authenticated = True

    def __init__(self, public_id: UUID, *, is_active: bool | None = None) -> None:
        """Name a service.

        Args:
            public_id: The id that its app assigned.
            is_active: Whether the service exists and is active, if the caller has just read it, for example to
                authenticate it. ``None``: the registry of holders decides, with one query when it is first needed.
        """
        self._public_id = public_id
        self._is_active = is_active

    @property
    def public_id(self) -> UUID:
        """The public id. It never changes."""
        return self._public_id

    @property
    def is_active(self) -> bool:
        """Whether the service exists and is active. Without an app that registers services none exists."""
        if self._is_active is None:
            describe = holder_kinds.get(SERVICE)
            found = {} if describe is None else describe({self._public_id})
            self._is_active = self._public_id in found and found[self._public_id].is_active
        return self._is_active

    def has_perm(self, permission: str, obj: Any = None) -> bool:
        """Return whether an authentication backend with ``decides_for_services`` allows it. Other backends know people only.

        Args:
            permission: ``app.codename``.
            obj: The object. ``None``: everywhere.
        """
        backends: Any = get_backends()
        for backend in backends:
            if not getattr(backend, "decides_for_services", False):
                continue
            try:
                if backend.has_perm(self, permission, obj):
                    return True
            except PermissionDenied:
                return False
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ServiceSubject) and other.public_id == self.public_id

    def __hash__(self) -> int:
        return hash((SERVICE, self.public_id))

    def __repr__(self) -> str:
        return f"ServiceSubject({self.public_id})"
