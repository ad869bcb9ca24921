"""Describes holders by their public ids, with one query for each kind."""

from collections.abc import Collection, Iterable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from auth_core.memo import Memo
from auth_core.models import Identity
from auth_core.registries import HolderDescription, holder_kinds
from auth_rbac.holders.service_subject import ServiceSubject, Subject
from auth_rbac.models import Assignment, GroupIdentity, HolderKind

#: On an assignment to a service: the description of the service, or ``None`` in a tuple if the service is gone.
_SERVICE: Memo[tuple[HolderDescription | None]] = Memo("auth_rbac.service")


def describe_people(public_ids: Collection[UUID]) -> dict[UUID, HolderDescription]:
    """Return the descriptions of the people with these public ids."""
    rows = Identity.objects.filter(subject_id__in=public_ids).select_related("user")
    return {row.subject_id: HolderDescription(str(row.user), bool(row.user.is_active)) for row in rows}


def describe_groups(public_ids: Collection[UUID]) -> dict[UUID, HolderDescription]:
    """Return the descriptions of the groups with these public ids. A group is always active."""
    rows = GroupIdentity.objects.filter(public_id__in=public_ids).select_related("group")
    return {row.public_id: HolderDescription(row.group.name, is_active=True) for row in rows}


def has_services() -> bool:
    """Tell whether an app of this site registers services. Without one, no service exists."""
    return holder_kinds.get(HolderKind.SERVICE) is not None


def describe_services(public_ids: Collection[UUID]) -> dict[UUID, HolderDescription]:
    """Return the descriptions of the services with these public ids."""
    describe: Any = holder_kinds.get(HolderKind.SERVICE)
    return dict(describe(set(public_ids))) if public_ids and describe is not None else {}


def load_services(assignments: Iterable[Assignment]) -> None:
    """Load the services of several assignments at once, for `label_of_holder`."""
    rows = [row for row in assignments if row.service_id is not None]
    services = describe_services({row.service_id for row in rows if row.service_id is not None})
    for row in rows:
        _SERVICE.keep(row, (services.get(row.service_id) if row.service_id else None,))


def label_of_holder(assignment: Assignment) -> str:
    """Return the name of the holder for administrators. `load_services` saves the query for each service."""
    if assignment.service_id is None:
        return str(assignment.user or assignment.group)
    if _SERVICE.of(assignment) is None:
        load_services([assignment])
    (service,) = _SERVICE.of(assignment) or (None,)
    return _label_of_service(assignment.service_id, service)


def label_of_subject(subject: Subject) -> str:
    """Return the name of a person or a service for administrators."""
    if isinstance(subject, ServiceSubject):
        return _label_of_service(subject.public_id, describe_services({subject.public_id}).get(subject.public_id))
    return str(subject)


def _label_of_service(public_id: UUID, service: HolderDescription | None) -> str:
    if service is None:
        return _("Deleted service %(id)s") % {"id": public_id}
    return service.label if service.is_active else _("%(service)s (disabled)") % {"service": service.label}
