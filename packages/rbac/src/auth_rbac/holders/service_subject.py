"""A service as the subject of decisions."""

from typing import TYPE_CHECKING
from uuid import UUID

from auth_core.registries import holder_kinds
from auth_core.users import UserLike
from auth_rbac.models import Assignment, HolderKind

if TYPE_CHECKING:
    from auth_rbac.models.assignment import AssignmentQuerySet


class ServiceSubject:
    """A service about which a decision is made. It holds its own assignments and nothing else.

    It has no groups, no permissions of Django or guardian, and is never a superuser. Like a user, an instance must not
    live longer than one request. It is not a user: it has no primary key, and cannot be the actor of a change.
    """

    is_anonymous = False

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
            describe = holder_kinds.get(HolderKind.SERVICE)
            found = {} if describe is None else describe({self._public_id})
            self._is_active = self._public_id in found and found[self._public_id].is_active
        return self._is_active

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ServiceSubject) and other.public_id == self.public_id

    def __hash__(self) -> int:
        return hash((HolderKind.SERVICE, self.public_id))

    def __repr__(self) -> str:
        return f"ServiceSubject({self.public_id})"


#: The subject of a decision.
Subject = UserLike | ServiceSubject


def assignments_reaching(subject: Subject) -> "AssignmentQuerySet":
    """Return the assignments that *subject* holds: a person in person or through a group, a service its own."""
    if isinstance(subject, ServiceSubject):
        return Assignment.objects.of_service(subject.public_id)
    return Assignment.objects.reaching(subject)


def kind_of_subject(subject: Subject) -> HolderKind:
    """Return whether *subject* is a person or a service."""
    return HolderKind.SERVICE if isinstance(subject, ServiceSubject) else HolderKind.PERSON
