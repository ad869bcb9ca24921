"""Finds holders by their public ids."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group
from django.utils.translation import gettext as _

from auth_core.errors import FieldError, InvalidRequest
from auth_core.people.lookup import find_by_identifier, find_by_subject_id, identity_of
from auth_core.users import UserLike
from auth_rbac.holders.descriptions import describe_services
from auth_rbac.holders.service_subject import ServiceSubject, Subject
from auth_rbac.models import Holder, HolderKind
from auth_rbac.models.holder import public_id_of_group


def find_holder(holder: Holder) -> Any:
    """Return the user or the group, or the `ServiceSubject` of a service.

    Raises:
        InvalidRequest: there is no such holder.
    """
    found: Any
    if holder.kind is HolderKind.PERSON:
        found = find_by_subject_id(holder.id)
    elif holder.kind is HolderKind.GROUP:
        found = Group.objects.filter(rbac_identity__public_id=holder.id).select_related("rbac_identity").first()
    else:
        service = describe_services({holder.id}).get(holder.id)
        found = None if service is None else ServiceSubject(holder.id, is_active=service.is_active)
    if found is None:
        raise unknown_holder()
    return found


def find_subject(text: str) -> Subject | None:
    """Return the person with this public id or identifier, the service with this public id, or ``None``."""
    try:
        public_id = UUID(text)
    except ValueError:
        person: UserLike | None = find_by_identifier(text)
        return person
    for kind in (HolderKind.PERSON, HolderKind.SERVICE):
        try:
            subject: Subject = find_holder(Holder(kind, public_id))
        except InvalidRequest:
            continue
        return subject
    return None


def unknown_holder() -> InvalidRequest:
    """Return the refusal of a holder that does not exist, or of a kind that this site does not have."""
    return InvalidRequest(FieldError("holder", "unknown_holder", _("This holder does not exist.")))


def holder_of(subject: Subject | Group) -> Holder:
    """Return a user, a group or a service by public id."""
    if isinstance(subject, ServiceSubject):
        return Holder(HolderKind.SERVICE, subject.public_id)
    if isinstance(subject, Group):
        return Holder(HolderKind.GROUP, public_id_of_group(subject))
    return Holder(HolderKind.PERSON, identity_of(subject).subject_id)


def public_id(user: UserLike | None) -> str | None:
    """Return the public id of a person. No other id of a person leaves this service."""
    return None if user is None else str(identity_of(user).subject_id)
