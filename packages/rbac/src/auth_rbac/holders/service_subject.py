"""Subjects of decisions: people, and services (`auth_core.people.service_subject`)."""

from typing import TYPE_CHECKING

from auth_core.people.service_subject import ServiceSubject
from auth_core.users import UserLike
from auth_rbac.models import Assignment, HolderKind

if TYPE_CHECKING:
    from auth_rbac.models.assignment import AssignmentQuerySet

__all__ = ["ServiceSubject", "Subject", "assignments_reaching", "kind_of_subject"]

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
